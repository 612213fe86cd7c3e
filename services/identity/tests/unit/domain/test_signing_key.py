"""Signing keys: which signs, which verifies, and when a new one is due."""

from datetime import datetime, timedelta

import pytest
from identity_fakes import NOON

from identity.domain.signing_key import (
    KeyPolicy,
    SigningKey,
    next_active_at,
    outlived,
    rotation_due,
    signing_key,
)

POLICY = KeyPolicy(rotate_s=86_400, lead_s=600, access_ttl_s=900, leeway_s=60)


def key(kid: str, *, active_at: datetime) -> SigningKey:
    return SigningKey(kid=kid, public_jwk={}, private_key="secret", active_at=active_at)


def after(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_the_newest_active_key_signs_and_a_coming_one_waits() -> None:
    keys = [key("a", active_at=after(-100)), key("b", active_at=NOON), key("c", active_at=after(10))]
    assert signing_key(keys, now=NOON).kid == "b"
    assert signing_key(keys, now=after(10)).kid == "c"


def test_without_an_active_key_nothing_is_signed() -> None:
    with pytest.raises(ValueError, match="no signing key"):
        signing_key([key("a", active_at=after(1))], now=NOON)


def test_the_first_key_signs_at_once_and_later_ones_after_the_lead() -> None:
    assert next_active_at([], policy=POLICY, now=NOON) == NOON
    assert next_active_at([key("a", active_at=NOON)], policy=POLICY, now=NOON) == after(600)


def test_a_key_is_due_when_the_newest_has_signed_long_enough() -> None:
    assert rotation_due([], policy=POLICY, now=NOON)
    keys = [key("a", active_at=NOON)]
    assert not rotation_due(keys, policy=POLICY, now=after(86_400 - 601))
    assert rotation_due(keys, policy=POLICY, now=after(86_400 - 600))


def test_a_key_stays_until_no_token_of_it_can_live() -> None:
    keys = [key("a", active_at=NOON), key("b", active_at=after(1000))]
    assert outlived(keys, policy=POLICY, now=after(1000 + 959)) == ()
    assert [old.kid for old in outlived(keys, policy=POLICY, now=after(1000 + 960))] == ["a"]


def test_the_newest_key_is_never_outlived() -> None:
    assert outlived([key("a", active_at=NOON)], policy=POLICY, now=after(10**8)) == ()
    assert outlived([], policy=POLICY, now=NOON) == ()


def test_a_private_key_never_shows_in_a_repr() -> None:
    assert "secret" not in repr(key("a", active_at=NOON))
