"""Sessions and their refresh tokens: one family of tokens a session, of which only the newest is good.

A token is used once. Its use makes a successor, derived from the token itself and a nonce with a key that
only this service has: whoever repeats a token within the grace gets the very same successor again, so that
a lost answer or twenty calls at once leave one successor, and nothing that opens a session is stored.
Sources: RFC 9700 §4.14.2; OWASP ASVS 5.0 §10.4.5 and §10.4.8; FAPI 2.0 on retries.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Self
from uuid import UUID

from contracts.identity import SessionRevoked, UserType
from kernel.refusals import Refusal


class RefreshRefused(Refusal):
    """The token is unknown, used, expired or of a dead session: one answer for all."""

    code = "invalid_refresh_token"
    status = 401
    final = False
    pt = "Sua sessão expirou. Entre de novo."
    en = "Your session has expired. Log in again."


class Verdict(Enum):
    """What a presented refresh token means."""

    ROTATE = auto()
    REPEAT = auto()
    REUSE = auto()
    DEAD = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """Durations in seconds: how long a refresh token lives unused, how long a session lives at all, how long
    the immediate predecessor of the newest token may be repeated, and how long an access token lives."""

    sliding_s: int
    absolute_s: int
    grace_s: int
    access_ttl_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`generation` is the newest token's; `revoked_at` set means dead."""

    id: UUID
    user_id: UUID
    user_type: UserType
    generation: int = 0
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoke_reason: str | None = None

    @classmethod
    def open(
        cls, *, session_id: UUID, user_id: UUID, user_type: UserType, policy: SessionPolicy, now: datetime
    ) -> Self:
        expires_at = now + timedelta(seconds=policy.absolute_s)
        return cls(id=session_id, user_id=user_id, user_type=user_type, created_at=now, expires_at=expires_at)

    def revoke(self, *, reason: str, now: datetime) -> tuple[Self, SessionRevoked]:
        """Dead from now on, with every token of the family."""
        dead = replace(self, revoked_at=now, revoke_reason=reason)
        fact = SessionRevoked(user_id=self.user_id, session_id=self.id, reason=reason, revoked_at=now)
        return dead, fact

    def token(self, secret: str, *, nonce: bytes, policy: SessionPolicy, now: datetime) -> "RefreshToken":
        """The token of this generation."""
        expires_at = min(now + timedelta(seconds=policy.sliding_s), self.expires_at)
        return RefreshToken(
            session_id=self.id,
            generation=self.generation,
            token_hash=hash_token(secret),
            nonce=nonce,
            expires_at=expires_at,
        )

    def next(self) -> Self:
        return replace(self, generation=self.generation + 1)

    def verdict(self, token: "RefreshToken", *, policy: SessionPolicy, now: datetime) -> Verdict:
        """What presenting `token` now means. Only a used token of a live session is a reuse."""
        if self.revoked_at or now >= self.expires_at:
            return Verdict.DEAD
        if token.generation == self.generation:
            return Verdict.DEAD if now >= token.expires_at else Verdict.ROTATE
        if token.generation == self.generation - 1 and token.in_grace(policy=policy, now=now):
            return Verdict.REPEAT
        return Verdict.REUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """One generation of a session's token. Only its hash is kept; `nonce` goes into its successor."""

    session_id: UUID
    generation: int
    token_hash: bytes
    nonce: bytes
    expires_at: datetime
    used_at: datetime | None = None

    def use(self, *, now: datetime) -> Self:
        return replace(self, used_at=now)

    def in_grace(self, *, policy: SessionPolicy, now: datetime) -> bool:
        return self.used_at is not None and now < self.used_at + timedelta(seconds=policy.grace_s)


def hash_token(secret: str) -> bytes:
    """SHA-256: the secret has 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(secret.encode()).digest()


def successor(secret: str, *, nonce: bytes, key: bytes) -> str:
    """The refresh token that follows `secret`: 256 bits, base64url."""
    return encode(hmac.new(key, nonce + secret.encode(), hashlib.sha256).digest())


def encode(random: bytes) -> str:
    """32 random bytes as a refresh token."""
    return urlsafe_b64encode(random).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A session that died before its time; it matters until `until`, when its last access token expires."""

    session_id: UUID
    user_id: UUID
    revoked_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a login or a refresh gives: a live session and its newest refresh token, in clear."""

    session: Session
    refresh_token: str
