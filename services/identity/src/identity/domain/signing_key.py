"""Which keys sign and which only verify: rotation with an overlap, so that no token in flight is refused.

A new key is published first, signs from `active_at` on, when every verifier's copy of the key set has been
renewed, and stays published after its successor signs for as long as a token that it signed can live.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

ALGORITHM: Final = "RS256"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPolicy:
    """Seconds: how long a key signs, how long it is published before that, how long a token may live."""

    rotate_s: int
    lead_s: int
    access_ttl_s: int
    leeway_s: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """`kid` is the RFC 7638 thumbprint; `public_jwk` holds public members only."""

    kid: str
    public_jwk: dict[str, Any]
    private_key: str = field(repr=False)
    active_at: datetime

    def activated(self, at: datetime) -> Self:
        """The same key, to sign from `at` on."""
        return replace(self, active_at=at)


def signing_key(keys: Sequence[SigningKey], *, now: datetime) -> SigningKey:
    """The newest key that may sign; ValueError when there is none."""
    active = [key for key in keys if key.active_at <= now]
    if not active:
        raise ValueError("no signing key is active")
    return max(active, key=lambda key: (key.active_at, key.kid))


def rotation_due(keys: Sequence[SigningKey], *, policy: KeyPolicy, now: datetime) -> bool:
    """Whether the newest key, active or not yet, has signed long enough. True without any key."""
    if not keys:
        return True
    return max(key.active_at for key in keys) + timedelta(seconds=policy.rotate_s - policy.lead_s) <= now


def next_active_at(keys: Sequence[SigningKey], *, policy: KeyPolicy, now: datetime) -> datetime:
    """When a key made now begins to sign: at once if it is the first, else after the lead."""
    return now + timedelta(seconds=policy.lead_s) if keys else now


def outlived(keys: Sequence[SigningKey], *, policy: KeyPolicy, now: datetime) -> tuple[SigningKey, ...]:
    """The keys that no living token can have been signed with."""
    overlap = timedelta(seconds=policy.access_ttl_s + policy.leeway_s)
    newest_first = sorted(keys, key=lambda key: (key.active_at, key.kid), reverse=True)
    followed = zip(newest_first[1:], newest_first[:-1], strict=True)
    return tuple(key for key, follower in followed if follower.active_at + overlap <= now)
