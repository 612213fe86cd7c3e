"""The signing keys in memory: signs access tokens, publishes the public parts, and verifies our own."""

import json
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from identity.domain.session import Session, SessionPolicy
from identity.domain.signing_key import ALGORITHM, SigningKey, signing_key
from identity.ports import OpenTransaction
from kernel.clock import Clock
from kernel.ids import new_id
from web.tokens import ACCESS_TOKEN_TYPE


class Keyring:
    """A KeySource and the AccessTokens port. `read` before anything else, and again every few seconds."""

    def __init__(
        self,
        transaction: OpenTransaction,
        *,
        issuer: str,
        audience: str,
        policy: SessionPolicy,
        clock: Clock,
    ) -> None:
        self._transaction = transaction
        self._names = {"iss": issuer, "aud": audience}
        self._policy = policy
        self._clock = clock
        self._keys: tuple[SigningKey, ...] = ()
        self._private: dict[str, RSAKey] = {}
        self._public: dict[str, RSAKey] = {}

    async def read(self) -> None:
        """Take over what the database holds now."""
        async with self._transaction() as tx:
            self._keys = tuple(await tx.signing_keys.all())
        kids = {key.kid for key in self._keys}
        for key in self._keys:
            if key.kid not in self._private:
                self._private[key.kid] = RSAKey.import_key(json.loads(key.private_key))
                self._public[key.kid] = RSAKey.import_key(key.public_jwk)
        for gone in set(self._private) - kids:
            del self._private[gone], self._public[gone]

    async def find(self, key_id: str) -> RSAKey | None:
        return self._public.get(key_id)

    async def close(self) -> None:
        """Nothing is open."""

    def jwks(self) -> dict[str, Any]:
        """What `/.well-known/jwks.json` answers: public members only."""
        return {"keys": [key.public_jwk for key in self._keys]}

    def issue(self, session: Session) -> str:
        """An access token of a live session, as `web.TokenVerifier` expects it."""
        now = self._clock.now()
        key = signing_key(self._keys, now=now)
        issued_at = int(now.timestamp())
        claims = {
            **self._names,
            "sub": str(session.user_id),
            "type": session.user_type.value,
            "sid": str(session.id),
            "jti": str(new_id()),
            "iat": issued_at,
            "exp": issued_at + self._policy.access_ttl_s,
        }
        header = {"alg": ALGORITHM, "kid": key.kid, "typ": ACCESS_TOKEN_TYPE}
        return jwt.encode(header, claims, self._private[key.kid])
