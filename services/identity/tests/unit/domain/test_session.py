"""Sessions: what presenting a refresh token means."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from identity_fakes import KEY, NOON, POLICY

from contracts.identity import UserType
from identity.domain.session import RefreshToken, Session, Verdict, encode, hash_token, successor
from kernel.ids import new_id


def opened() -> tuple[Session, RefreshToken]:
    session = Session.open(
        session_id=new_id(), user_id=new_id(), user_type=UserType.DRIVER, policy=POLICY, now=NOON
    )
    return session, session.token("s0", nonce=b"n0", policy=POLICY, now=NOON)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_the_newest_token_rotates_until_it_expires_unused() -> None:
    session, token = opened()
    assert session.verdict(token, policy=POLICY, now=NOON) is Verdict.ROTATE
    last = NOON + seconds(POLICY.sliding_s)
    assert session.verdict(token, policy=POLICY, now=last - seconds(1)) is Verdict.ROTATE
    assert session.verdict(token, policy=POLICY, now=last) is Verdict.DEAD


def test_the_immediate_predecessor_may_be_repeated_within_the_grace_only() -> None:
    session, token = opened()
    used, rotated = token.use(now=NOON), session.next()
    assert rotated.verdict(used, policy=POLICY, now=NOON + seconds(9.9)) is Verdict.REPEAT
    assert rotated.verdict(used, policy=POLICY, now=NOON + seconds(10)) is Verdict.REUSE


def test_an_older_generation_is_a_reuse_even_within_the_grace() -> None:
    session, token = opened()
    assert session.next().next().verdict(token.use(now=NOON), policy=POLICY, now=NOON) is Verdict.REUSE


def test_a_predecessor_that_was_never_used_has_no_grace() -> None:
    session, token = opened()
    assert session.next().verdict(token, policy=POLICY, now=NOON) is Verdict.REUSE


def test_no_token_outlives_its_session() -> None:
    session, _ = opened()
    late = session.expires_at - seconds(60)
    token = session.token("s", nonce=b"n", policy=POLICY, now=late)
    assert token.expires_at == session.expires_at
    assert session.verdict(token, policy=POLICY, now=session.expires_at) is Verdict.DEAD


def test_a_revoked_session_is_dead_whatever_the_token() -> None:
    session, token = opened()
    revoked, fact = session.revoke(reason="logout", now=NOON)
    assert revoked.verdict(token, policy=POLICY, now=NOON) is Verdict.DEAD
    assert revoked.next().next().verdict(token, policy=POLICY, now=NOON) is Verdict.DEAD
    assert (fact.session_id, fact.user_id, fact.reason) == (session.id, session.user_id, "logout")


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_successor_follows_from_token_and_nonce_and_key_only(random: bytes, nonce: bytes) -> None:
    token = encode(random)
    after = successor(token, nonce=nonce, key=KEY)
    assert after == successor(token, nonce=nonce, key=KEY)
    assert after != successor(token, nonce=nonce, key=b"x" * 32)
    assert after != successor(token, nonce=nonce + b"x", key=KEY)
    assert len(after) == len(token) == 43
    assert hash_token(after) != hash_token(token)
