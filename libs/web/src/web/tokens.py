"""Access tokens: RS256, checked in full. A refresh token, a socket ticket or anyone else's JWT is none.

The header's `alg` is compared, never obeyed; `kid` only looks a key up; a header with `jku`, `x5u` or
`jwk` is refused unread.
"""

import json
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from kernel.clock import Clock, SystemClock
from kernel.ids import id_time
from web.keys import KeySource
from web.principals import USER_TYPES, Principal
from web.refusals import InvalidToken
from web.revocations import Revocations

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  # RFC 9068's media type
ALGORITHM: Final = "RS256"
LEEWAY_S: Final = 30
_HEADER_MEMBERS: Final = frozenset({"alg", "kid", "typ"})
_REGISTRY: Final = JWSRegistry(algorithms=[ALGORITHM])


class TokenVerifier:
    """Turns an access token into a Principal, or refuses it."""

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        audience: str,
        revocations: Revocations | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.keys = keys
        self.revocations = revocations
        self._clock = clock or SystemClock()
        self._claims = {"iss": issuer, "aud": audience}

    async def verify(self, token: str) -> Principal:
        """The token's principal. Raises InvalidToken; Unavailable when no key is known yet."""
        key = await self.keys.find(_key_id(token))
        if key is None:
            raise InvalidToken("unknown key")
        try:
            claims = jwt.decode(token, key, algorithms=[ALGORITHM], registry=_REGISTRY).claims
            principal = self._principal(claims)
        except (JoseError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise InvalidToken(type(error).__name__) from error
        if self.revocations is not None and self.revocations.revoked(principal):
            raise InvalidToken("revoked")
        return principal

    async def close(self) -> None:
        """Close what the key source holds open."""
        await self.keys.close()

    def _principal(self, claims: dict[str, Any]) -> Principal:
        if claims.get("iss") != self._claims["iss"] or not self._is_for_us(claims["aud"]):
            raise ValueError("issuer or audience")
        if claims["type"] not in USER_TYPES:
            raise ValueError("type")
        now = self._clock.now().timestamp()
        expires_at, issued_at = _seconds(claims["exp"]), _seconds(claims["iat"])
        not_before = _seconds(claims.get("nbf", claims["iat"]))
        if expires_at <= now or max(issued_at, not_before) > now + LEEWAY_S:
            raise ValueError("time")
        return Principal(
            user_id=UUID(_text(claims["sub"])),
            user_type=claims["type"],
            session_id=UUID(_text(claims["sid"])),
            token_id=_text(claims["jti"]),
            issued_at=_exact_time(issued_at, token_id=claims["jti"]),
            expires_at=datetime.fromtimestamp(expires_at, tz=UTC),
        )

    def _is_for_us(self, audience: Any) -> bool:
        ours = self._claims["aud"]
        return bool(audience == ours or (isinstance(audience, list) and ours in audience))


def _key_id(token: str) -> str:
    """The `kid` of a header that is exactly an access token's. Raises InvalidToken."""
    try:
        header = json.loads(urlsafe_b64decode(token.split(".", 1)[0].encode("ascii")))
        key_id = header["kid"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidToken("header") from error
    right = header.get("alg") == ALGORITHM and header.get("typ") == ACCESS_TOKEN_TYPE
    if not right or not isinstance(key_id, str) or not set(header) <= _HEADER_MEMBERS:
        raise InvalidToken("header")
    return key_id


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a NumericDate")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not a text")
    return value


def _exact_time(issued_at_s: float, *, token_id: str) -> datetime:
    """`iat` to the millisecond, when a UUIDv7 `jti` tells it.

    A user who is reinstated and signs in again within one second must not fall under the revocation of that
    same second, and one suspended in that second must.
    """
    issued_at = datetime.fromtimestamp(issued_at_s, tz=UTC)
    try:
        made_at = id_time(UUID(token_id))
    except ValueError:
        return issued_at
    return made_at if 0 <= (made_at - issued_at).total_seconds() < 1 else issued_at
