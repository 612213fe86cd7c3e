"""Effects: read, call the outside with no transaction open, write."""

from datetime import timedelta

import pytest
from identity_fakes import (
    ADMIN,
    NOON,
    POLICY,
    FakeAccounts,
    FakeAttempts,
    FakeKeyMaker,
    FakePasswords,
    FakeRevocationCopy,
    FakeTx,
    passenger,
)

from identity.domain.account import AlreadyRegistered
from identity.domain.attempts import TooManyAttempts
from identity.domain.login import Credential, Login, WrongCredentials
from identity.domain.session import Grant
from identity.domain.signing_key import KeyPolicy
from identity.domain.user import UserIsBanned
from identity.effects.ensure_first_admin import ensure_first_admin
from identity.effects.log_in import log_in
from identity.effects.renew_signing_keys import renew_signing_keys
from identity.effects.spread_revocations import spread_revocations
from identity.usecases.ban_user import ban_user
from identity.usecases.revoke_session import revoke_session
from identity.usecases.rotate_signing_key import rotate_signing_key

KEYS = KeyPolicy(rotate_s=86_400, lead_s=600, access_ttl_s=900)


async def attempt(
    tx: FakeTx,
    login: str,
    password: str,
    *,
    attempts: FakeAttempts | None = None,
    passwords: FakePasswords | None = None,
    address: str | None = "198.51.100.1",
) -> Grant:
    return await log_in(
        tx.transaction,
        login=Login.parse(login),
        password=password,
        address=address,
        passwords=passwords or FakePasswords(tx),
        attempts=attempts or FakeAttempts(),
        policy=POLICY,
    )


@pytest.mark.parametrize("login", ["ANA1@exemplo.com.br", "(11) 98000-0001"])
async def test_log_in_takes_an_address_or_a_phone(login: str) -> None:
    tx = FakeTx().holding(account := passenger(1))
    grant = await attempt(tx, login, "segredo-forte")
    assert grant.session.user_id == account.id


async def test_an_unknown_login_and_a_wrong_password_look_and_cost_the_same() -> None:
    tx = FakeTx().holding(passenger(1))
    passwords = FakePasswords(tx)
    refusals = []
    for login in ("ana1@exemplo.com.br", "ninguem@exemplo.com.br", "lixo"):
        with pytest.raises(WrongCredentials) as refused:
            await attempt(tx, login, "errada-errada", passwords=passwords)
        refusals.append(str(refused.value))
    assert len(set(refusals)) == 1
    assert len(passwords.verified) == 3


async def test_a_banned_user_hears_of_it_only_with_the_right_password() -> None:
    tx = FakeTx().holding(account := passenger(1))
    await ban_user(tx, user_id=account.id, reason="r", actor=ADMIN, now=NOON)
    with pytest.raises(WrongCredentials):
        await attempt(tx, "ana1@exemplo.com.br", "errada-errada")
    with pytest.raises(UserIsBanned):
        await attempt(tx, "ana1@exemplo.com.br", "segredo-forte")


async def test_an_outdated_hash_is_replaced_on_the_way() -> None:
    tx = FakeTx().holding(account := passenger(1))
    tx.accounts.hashes[account.id] = "old:segredo-forte"
    await attempt(tx, "ana1@exemplo.com.br", "segredo-forte")
    assert tx.accounts.hashes[account.id] == "hash:segredo-forte"


async def test_too_many_failures_refuse_even_the_right_password_but_not_from_a_known_address() -> None:
    tx = FakeTx().holding(passenger(1))
    attempts = FakeAttempts(allowed=2)
    await attempt(tx, "ana1@exemplo.com.br", "segredo-forte", address="203.0.113.5")
    for _ in range(2):
        with pytest.raises(WrongCredentials):
            await attempt(tx, "ana1@exemplo.com.br", "errada-errada", attempts=attempts)
    for address in ("198.51.100.1", None):
        with pytest.raises(TooManyAttempts):
            await attempt(tx, "ana1@exemplo.com.br", "segredo-forte", attempts=attempts, address=address)
    await attempt(tx, "ana1@exemplo.com.br", "segredo-forte", attempts=attempts, address="203.0.113.5")
    assert attempts.failures == 0


async def test_ensure_first_admin_opens_the_account_once() -> None:
    tx = FakeTx()
    login = Login.parse("admin@example.com")
    opened = [
        await ensure_first_admin(
            tx.transaction, login=login, password="segredo-forte", passwords=FakePasswords(tx)
        )
        for _ in range(2)
    ]
    assert opened == [True, False]
    assert tx.facts() == ["user.registered", "profile", "audit.recorded"]
    assert (await attempt(tx, "admin@example.com", "segredo-forte")).session.user_type == "admin"


class LateAccounts(FakeAccounts):
    """Another process opens the account between the look and the writing."""

    async def credential(self, login: Login) -> Credential | None:
        return None

    async def add(self, account: object, *, password_hash: str) -> None:
        raise AlreadyRegistered


async def test_two_processes_that_start_at_once_open_one_first_admin() -> None:
    tx = FakeTx(accounts=LateAccounts())
    login = Login.parse("admin@example.com")
    opened = await ensure_first_admin(
        tx.transaction, login=login, password="segredo-forte", passwords=FakePasswords(tx)
    )
    assert not opened


async def test_renew_signing_keys_makes_the_first_key_and_then_waits_until_one_is_due() -> None:
    tx, maker = FakeTx(), FakeKeyMaker()
    assert await renew_signing_keys(tx.transaction, maker=maker, policy=KEYS)
    assert not await renew_signing_keys(tx.transaction, maker=maker, policy=KEYS)
    assert maker.made == 1
    assert tx.signing_keys.keys[0].active_at == NOON
    tx.time += timedelta(seconds=KEYS.rotate_s)
    assert await renew_signing_keys(tx.transaction, maker=maker, policy=KEYS)
    assert tx.signing_keys.keys[1].active_at == tx.time + timedelta(seconds=KEYS.lead_s)


async def test_renew_signing_keys_can_be_forced_and_drops_the_outlived() -> None:
    tx, maker = FakeTx(), FakeKeyMaker()
    await renew_signing_keys(tx.transaction, maker=maker, policy=KEYS)
    assert await renew_signing_keys(tx.transaction, maker=maker, policy=KEYS, forced=True)
    tx.time += timedelta(seconds=KEYS.lead_s + KEYS.access_ttl_s + KEYS.leeway_s)
    assert not await renew_signing_keys(tx.transaction, maker=maker, policy=KEYS)
    assert [key.kid for key in tx.signing_keys.keys] == ["k2"]


async def test_rotate_signing_key_leaves_a_spare_that_another_process_made_needless() -> None:
    tx, maker = FakeTx(), FakeKeyMaker()
    first, second = await maker.make(NOON), await maker.make(NOON)
    assert await rotate_signing_key(tx, spare=first, policy=KEYS, now=NOON)
    assert not await rotate_signing_key(tx, spare=second, policy=KEYS, now=NOON)
    assert [key.kid for key in tx.signing_keys.keys] == ["k1"]


async def test_spread_revocations_writes_what_still_matters_again() -> None:
    tx, copy = FakeTx().holding(account := passenger(1)), FakeRevocationCopy()
    assert await spread_revocations(tx.transaction, copy=copy, policy=POLICY) == 0
    grant = await attempt(tx, "ana1@exemplo.com.br", "segredo-forte")
    await revoke_session(tx, user_id=account.id, session_id=grant.session.id, refresh_token=None, now=NOON)
    for _ in range(2):
        assert await spread_revocations(tx.transaction, copy=copy, policy=POLICY) == 1
    assert [one.session_id for one in copy.written] == [grant.session.id] * 2
