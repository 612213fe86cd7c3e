"""Sessions: opened, refreshed, repeated, stolen, ended."""

from datetime import timedelta

import pytest
from identity_fakes import ADMIN, KEY, NOON, POLICY, FakeTx, passenger

from contracts.audit import AuditRecorded
from contracts.identity import SessionRevoked
from identity.domain.account import Account
from identity.domain.session import Grant, RefreshRefused
from identity.domain.user import UserIsSuspended
from identity.usecases.end_sessions import end_sessions
from identity.usecases.list_revocations import list_revocations
from identity.usecases.open_session import open_session
from identity.usecases.purge_sessions import purge_sessions
from identity.usecases.refresh_session import refresh_session
from identity.usecases.revoke_session import revoke_session
from kernel.ids import new_id


async def opened(tx: FakeTx, account: Account, *, newer_hash: str | None = None) -> Grant:
    return await open_session(
        tx,
        user_id=account.id,
        session_id=new_id(),
        random=new_id().bytes * 2,
        nonce=b"n",
        address="198.51.100.1",
        newer_hash=newer_hash,
        policy=POLICY,
        now=tx.time,
    )


async def refreshed(tx: FakeTx, token: str, *, nonce: bytes = b"m") -> Grant | RefreshRefused:
    return await refresh_session(
        tx, refresh_token=token, nonce=nonce, key=KEY, policy=POLICY, actor=ADMIN, now=tx.time
    )


async def test_open_session_keeps_a_hash_of_the_token_only() -> None:
    tx = FakeTx().holding(account := passenger())
    grant = await opened(tx, account)
    assert grant.refresh_token not in repr(tx.sessions)
    assert tx.accounts.locked == [account.id]


async def test_open_session_refuses_a_suspended_user_under_the_lock() -> None:
    account = passenger()
    suspended, _ = account.user.suspend(reason="r", now=NOON)
    tx = FakeTx().holding(account.with_user(suspended))
    with pytest.raises(UserIsSuspended):
        await opened(tx, account)


async def test_open_session_replaces_an_outdated_hash() -> None:
    tx = FakeTx().holding(account := passenger())
    await opened(tx, account, newer_hash="argon2")
    assert tx.accounts.hashes[account.id] == "argon2"


async def test_refresh_session_gives_a_successor_of_the_same_session() -> None:
    tx = FakeTx().holding(account := passenger())
    grant = await opened(tx, account)
    after = await refreshed(tx, grant.refresh_token)
    assert isinstance(after, Grant)
    assert after.refresh_token != grant.refresh_token
    assert (after.session.id, after.session.generation) == (grant.session.id, 1)


async def test_a_repeat_within_the_grace_gives_the_very_same_successor() -> None:
    tx = FakeTx().holding(account := passenger())
    grant = await opened(tx, account)
    first = await refreshed(tx, grant.refresh_token, nonce=b"a")
    tx.time += timedelta(seconds=9)
    second = await refreshed(tx, grant.refresh_token, nonce=b"b")
    assert isinstance(first, Grant)
    assert isinstance(second, Grant)
    assert first.refresh_token == second.refresh_token
    assert len(tx.sessions.tokens) == 2


async def test_a_repeat_after_the_grace_ends_the_family_and_is_audited() -> None:
    tx = FakeTx().holding(account := passenger())
    grant = await opened(tx, account)
    after = await refreshed(tx, grant.refresh_token)
    assert isinstance(after, Grant)
    tx.time += timedelta(seconds=11)
    assert isinstance(await refreshed(tx, grant.refresh_token), RefreshRefused)
    assert isinstance(await refreshed(tx, after.refresh_token), RefreshRefused)
    revoked = [fact for fact, _ in tx.published if isinstance(fact, SessionRevoked)]
    assert [(fact.session_id, fact.reason) for fact in revoked] == [
        (grant.session.id, "refresh_token_reused")
    ]
    audits = [fact for fact, _ in tx.published if isinstance(fact, AuditRecorded)]
    assert [record.action for record in audits] == ["refuse_reused_refresh_token"]


async def test_the_grace_is_not_for_the_generation_before_the_predecessor() -> None:
    tx = FakeTx().holding(account := passenger())
    grant = await opened(tx, account)
    after = await refreshed(tx, grant.refresh_token)
    assert isinstance(after, Grant)
    await refreshed(tx, after.refresh_token)
    assert isinstance(await refreshed(tx, grant.refresh_token), RefreshRefused)
    assert tx.sessions.by_id[grant.session.id].revoked_at


async def test_an_unknown_token_is_refused_and_nothing_is_written() -> None:
    tx = FakeTx()
    assert isinstance(await refreshed(tx, "unknown"), RefreshRefused)
    assert not tx.published


async def test_a_token_whose_session_was_purged_is_refused() -> None:
    tx = FakeTx().holding(account := passenger())
    grant = await opened(tx, account)
    tx.sessions.by_id.clear()
    assert isinstance(await refreshed(tx, grant.refresh_token), RefreshRefused)


async def test_revoke_session_ends_the_callers_session_once() -> None:
    tx = FakeTx().holding(account := passenger())
    grant = await opened(tx, account)
    for _ in range(2):
        await revoke_session(
            tx, user_id=account.id, session_id=grant.session.id, refresh_token=None, now=NOON
        )
    assert tx.facts() == ["session.revoked"]
    assert isinstance(await refreshed(tx, grant.refresh_token), RefreshRefused)


async def test_revoke_session_also_ends_the_session_of_a_given_token_of_the_same_user() -> None:
    mine, other = passenger(1), passenger(2)
    tx = FakeTx().holding(mine, other)
    here, there, theirs = await opened(tx, mine), await opened(tx, mine), await opened(tx, other)
    for token in (there.refresh_token, theirs.refresh_token, "unknown"):
        await revoke_session(tx, user_id=mine.id, session_id=here.session.id, refresh_token=token, now=NOON)
    dead = {session_id for session_id, session in tx.sessions.by_id.items() if session.revoked_at}
    assert dead == {here.session.id, there.session.id}


async def test_revoke_session_of_a_purged_session_is_no_error() -> None:
    tx = FakeTx()
    await revoke_session(tx, user_id=new_id(), session_id=new_id(), refresh_token=None, now=NOON)
    assert not tx.published


async def test_end_sessions_ends_all_of_one_user() -> None:
    tx = FakeTx().holding(mine := passenger(1), other := passenger(2))
    grants = [await opened(tx, mine), await opened(tx, mine)]
    kept = await opened(tx, other)
    await end_sessions(tx, user_id=mine.id, reason="user_banned", now=NOON)
    told = [fact.session_id for fact, _ in tx.published if isinstance(fact, SessionRevoked)]
    assert set(told) == {grant.session.id for grant in grants} | {None}
    assert tx.sessions.by_id[kept.session.id].revoked_at is None


async def test_list_revocations_forgets_those_whose_access_tokens_have_expired() -> None:
    tx = FakeTx().holding(account := passenger())
    grant = await opened(tx, account)
    await revoke_session(tx, user_id=account.id, session_id=grant.session.id, refresh_token=None, now=NOON)
    ttl = timedelta(seconds=POLICY.access_ttl_s)
    for since in (None, NOON - timedelta(days=2)):
        alive = await list_revocations(tx, since=since, policy=POLICY, now=NOON + ttl)
        assert [one.session_id for one in alive] == [grant.session.id]
        assert not await list_revocations(
            tx, since=since, policy=POLICY, now=NOON + ttl + timedelta(seconds=1)
        )
    assert not await list_revocations(tx, since=NOON + timedelta(seconds=1), policy=POLICY, now=NOON)


async def test_purge_sessions_keeps_them_for_a_day_after_they_expire() -> None:
    tx = FakeTx().holding(account := passenger())
    grant = await opened(tx, account)
    expired = grant.session.expires_at
    assert await purge_sessions(tx, now=expired + timedelta(hours=23)) == 0
    assert await purge_sessions(tx, now=expired + timedelta(hours=25)) == 1
