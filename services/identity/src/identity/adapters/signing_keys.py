"""Signing keys in Postgres, and their making. A private key is sealed before it reaches its column."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from joserfc.jwk import RSAKey
from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from identity.adapters.tables import signing_keys
from identity.adapters.vault import Vault
from identity.domain.signing_key import ALGORITHM, SigningKey

KEY_BITS: Final = 2048
ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(hashtext('identity signing keys'))")


class SqlSigningKeys:
    """The SigningKeys port."""

    def __init__(self, session: AsyncSession, *, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def lock(self) -> Sequence[SigningKey]:
        await self._session.execute(ONE_AT_A_TIME)
        return await self.all()

    async def all(self) -> Sequence[SigningKey]:
        found = await self._session.execute(select(signing_keys).order_by(signing_keys.c.active_at))
        return [
            SigningKey(
                kid=row["kid"],
                public_jwk=row["public_jwk"],
                private_key=self._vault.open(row["private_key"]),
                active_at=row["active_at"],
            )
            for row in found.mappings()
        ]

    async def add(self, key: SigningKey) -> None:
        values = {
            "kid": key.kid,
            "public_jwk": key.public_jwk,
            "private_key": self._vault.seal(key.private_key),
            "active_at": key.active_at,
        }
        await self._session.execute(insert(signing_keys).values(values))

    async def remove(self, kid: str) -> None:
        await self._session.execute(delete(signing_keys).where(signing_keys.c.kid == kid))


class RsaKeyMaker:
    """The KeyMaker port: 2048 bits, changed every month or so; `kid` is the RFC 7638 thumbprint."""

    async def make(self, now: datetime) -> SigningKey:
        key = await asyncio.to_thread(RSAKey.generate_key, KEY_BITS)
        kid = key.thumbprint()
        public = {"kid": kid, "use": "sig", "alg": ALGORITHM, **key.as_dict(private=False)}
        return SigningKey(
            kid=kid, public_jwk=public, private_key=json.dumps(key.as_dict(private=True)), active_at=now
        )
