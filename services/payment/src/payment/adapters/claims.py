"""Claims that Efí did not bear out, in Postgres: the primary key tells each once."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import rejected_claims
from payment.domain.claim import Rejection


class SqlClaims:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def reject(self, rejection: Rejection, *, now: datetime) -> bool:
        noted = await self._session.execute(
            insert(rejected_claims)
            .values(
                e2e_id=rejection.e2e_id,
                kind=rejection.kind,
                reference=rejection.reference,
                claimed=rejection.claimed,
                confirmed=rejection.confirmed,
                found_at=now,
            )
            .on_conflict_do_nothing()
            .returning(rejected_claims.c.e2e_id)
        )
        return noted.one_or_none() is not None
