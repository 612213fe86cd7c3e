"""Access tokens as identity signs them: RS256, the claims of docs/api.md."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import RSAKey

from kernel.clock import Clock, SystemClock

if TYPE_CHECKING:
    from web import TokenVerifier

ISSUER = "https://ibora.invalid"
AUDIENCE = "ibora"


class Tokens:
    """Signs tokens with a key of its own; every claim and the header can be spoilt for a test of refusals."""

    def __init__(
        self, clock: Clock | None = None, *, issuer: str = ISSUER, audience: str = AUDIENCE, ttl_s: int = 900
    ) -> None:
        self._clock = clock or SystemClock()
        self._issuer = issuer
        self._audience = audience
        self._ttl_s = ttl_s
        self.key_id = uuid4().hex
        self._key = RSAKey.generate_key(2048, parameters={"kid": self.key_id, "use": "sig", "alg": "RS256"})

    def token(
        self,
        user_id: UUID | str,
        user_type: str,
        *,
        session_id: UUID | str | None = None,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """A signed token. A None in `claims` leaves that claim out."""
        issued_at = int(self._clock.now().timestamp())
        content = {
            "sub": str(user_id),
            "type": user_type,
            "iat": issued_at,
            "exp": issued_at + self._ttl_s,
            "iss": self._issuer,
            "aud": self._audience,
            "jti": str(uuid4()),
            "sid": str(session_id or uuid4()),
            **(claims or {}),
        }
        kept = {name: value for name, value in content.items() if value is not None}
        return jwt.encode(
            {"alg": "RS256", "kid": self.key_id, "typ": "at+jwt", **(header or {})}, kept, self._key
        )

    def headers(self, user_id: UUID | str, user_type: str, **options: Any) -> dict[str, str]:
        """`{"Authorization": "Bearer …"}`."""
        return {"Authorization": f"Bearer {self.token(user_id, user_type, **options)}"}

    def jwks(self) -> dict[str, Any]:
        """What `/.well-known/jwks.json` would answer."""
        return {"keys": [self._key.as_dict(private=False)]}

    def verifier(self, *, clock: Clock | None = None, revocations: Any = None) -> "TokenVerifier":
        """A verifier that trusts these tokens, on the same clock unless told another."""
        from web import StaticKeys, TokenVerifier

        return TokenVerifier(
            StaticKeys(self.jwks()),
            issuer=self._issuer,
            audience=self._audience,
            revocations=revocations,
            clock=clock or self._clock,
        )
