"""Sessions and refresh tokens in Postgres."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import UserType
from identity.adapters.tables import refresh_tokens, sessions
from identity.adapters.vault import Vault
from identity.domain.session import RefreshToken, Revocation, Session, SessionPolicy
from kernel.refusals import NotFound


class SqlSessions:
    """The Sessions port. `on_revoked` hears of each revocation that will be committed."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        vault: Vault,
        policy: SessionPolicy,
        on_revoked: Callable[[Revocation], None],
    ) -> None:
        self._session = session
        self._vault = vault
        self._access_ttl = timedelta(seconds=policy.access_ttl_s)
        self._on_revoked = on_revoked

    async def add(self, session: Session, *, token: RefreshToken, address: str | None) -> None:
        values = _session_values(session) | {"address_index": self._address_index(address)}
        await self._session.execute(insert(sessions).values(values))
        await self._session.execute(insert(refresh_tokens).values(_token_values(token)))

    async def find_token(self, token_hash: bytes) -> RefreshToken | None:
        query = select(refresh_tokens).where(refresh_tokens.c.token_hash == token_hash)
        row = (await self._session.execute(query)).mappings().one_or_none()
        return _token_of(row) if row else None

    async def lock(self, session_id: UUID) -> Session | None:
        query = select(sessions).where(sessions.c.id == session_id).with_for_update()
        row = (await self._session.execute(query)).mappings().one_or_none()
        return _session_of(row) if row else None

    async def token(self, session_id: UUID, *, generation: int) -> RefreshToken:
        query = select(refresh_tokens).where(
            refresh_tokens.c.session_id == session_id, refresh_tokens.c.generation == generation
        )
        row = (await self._session.execute(query)).mappings().one_or_none()
        if row is None:
            raise NotFound
        return _token_of(row)

    async def rotate(self, session: Session, *, used: RefreshToken, token: RefreshToken) -> None:
        await self._update(session, {"generation": session.generation})
        spent = (
            update(refresh_tokens)
            .where(
                refresh_tokens.c.session_id == used.session_id,
                refresh_tokens.c.generation == used.generation,
            )
            .values(used_at=used.used_at)
        )
        await self._session.execute(spent)
        await self._session.execute(insert(refresh_tokens).values(_token_values(token)))

    async def revoke(self, session: Session) -> None:
        assert session.revoked_at is not None, "only a revoked session is written as such"
        await self._update(
            session, {"revoked_at": session.revoked_at, "revoke_reason": session.revoke_reason}
        )
        self._on_revoked(self._revocation(session.id, session.user_id, revoked_at=session.revoked_at))

    async def lock_live(self, user_id: UUID) -> Sequence[Session]:
        query = (
            select(sessions)
            .where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
            .order_by(sessions.c.id)
            .with_for_update()
        )
        return [_session_of(row) for row in (await self._session.execute(query)).mappings()]

    async def known_address(self, user_id: UUID, *, address: str) -> bool:
        seen = exists().where(
            sessions.c.user_id == user_id, sessions.c.address_index == self._address_index(address)
        )
        return bool((await self._session.execute(select(seen))).scalar_one())

    async def revoked_since(self, since: datetime) -> Sequence[Revocation]:
        query = (
            select(sessions.c.id, sessions.c.user_id, sessions.c.revoked_at)
            .where(sessions.c.revoked_at >= since)
            .order_by(sessions.c.revoked_at, sessions.c.id)
        )
        found = await self._session.execute(query)
        return [self._revocation(row.id, row.user_id, revoked_at=row.revoked_at) for row in found]

    async def purge(self, *, before: datetime, limit: int) -> int:
        old = select(sessions.c.id).where(sessions.c.expires_at < before).limit(limit)
        gone = await self._session.execute(
            delete(sessions).where(sessions.c.id.in_(old)).returning(sessions.c.id)
        )
        return len(gone.all())

    def _address_index(self, address: str | None) -> bytes | None:
        return self._vault.index("address", address) if address else None

    def _revocation(self, session_id: UUID, user_id: UUID, *, revoked_at: datetime) -> Revocation:
        until = revoked_at + self._access_ttl
        return Revocation(session_id=session_id, user_id=user_id, revoked_at=revoked_at, until=until)

    async def _update(self, session: Session, changes: dict[str, Any]) -> None:
        await self._session.execute(update(sessions).where(sessions.c.id == session.id).values(changes))


def _session_values(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "user_type": session.user_type.value,
        "generation": session.generation,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
    }


def _session_of(row: RowMapping) -> Session:
    return Session(
        id=row["id"],
        user_id=row["user_id"],
        user_type=UserType(row["user_type"]),
        generation=row["generation"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        revoke_reason=row["revoke_reason"],
    )


def _token_values(token: RefreshToken) -> dict[str, Any]:
    return {
        "session_id": token.session_id,
        "generation": token.generation,
        "token_hash": token.token_hash,
        "nonce": token.nonce,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
    }


def _token_of(row: RowMapping) -> RefreshToken:
    return RefreshToken(
        session_id=row["session_id"],
        generation=row["generation"],
        token_hash=bytes(row["token_hash"]),
        nonce=bytes(row["nonce"]),
        expires_at=row["expires_at"],
        used_at=row["used_at"],
    )
