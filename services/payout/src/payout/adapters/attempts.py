"""Attempts to send, in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payout.adapters.tables import payout_attempts
from payout.domain.history import Attempt
from payout.domain.payout import Payout
from payout.domain.send import Outcome

_A = payout_attempts.c


class SqlAttempts:
    """One row a call to the bank, written before the call."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def start(self, payout: Payout, *, attempt_id: UUID, now: datetime) -> None:
        await self._session.execute(
            insert(payout_attempts).values(
                id=attempt_id, payout_id=payout.id, id_envio=payout.sent_as, started_at=now
            )
        )

    async def finish(self, attempt_id: UUID, *, outcome: Outcome, code: str | None, now: datetime) -> None:
        values = {"outcome": outcome.value, "code": code, "finished_at": now}
        await self._session.execute(update(payout_attempts).where(_A.id == attempt_id).values(values))

    async def last_unclear_at(self, payout_id: UUID) -> datetime | None:
        unclear = or_(_A.outcome.is_(None), _A.outcome == Outcome.UNCLEAR.value)
        query = select(func.max(_A.started_at)).where(_A.payout_id == payout_id, unclear)
        found: datetime | None = (await self._session.execute(query)).scalar_one()
        return found

    async def list_of(self, payout_id: UUID) -> Sequence[Attempt]:
        query = select(payout_attempts).where(_A.payout_id == payout_id).order_by(_A.started_at, _A.id)
        return [
            Attempt(
                id=row.id,
                id_envio=row.id_envio,
                started_at=row.started_at,
                finished_at=row.finished_at,
                outcome=row.outcome and Outcome(row.outcome),
                code=row.code,
            )
            for row in await self._session.execute(query)
        ]
