"""Received Pix in Postgres: the primary key on the e2eId is what counts each one once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import received_pix, sweeps
from payment.domain.received import Received, Source

_SWEEP = "received_pix"


class SqlReceivedPix:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(
        self, received: Received, *, source: Source, intent_id: UUID | None, now: datetime
    ) -> bool:
        claimed = await self._session.execute(
            insert(received_pix)
            .values(
                e2e_id=received.e2e_id,
                txid=received.txid,
                payment_intent_id=intent_id,
                amount=received.amount,
                fee=received.fee,
                source=source,
                paid_at=received.paid_at,
                created_at=now,
                updated_at=now,
            )
            .on_conflict_do_nothing()
            .returning(received_pix.c.e2e_id)
        )
        return claimed.one_or_none() is not None

    async def known(self, e2e_ids: Sequence[str]) -> frozenset[str]:
        found = await self._session.execute(
            select(received_pix.c.e2e_id).where(received_pix.c.e2e_id.in_(e2e_ids))
        )
        return frozenset(found.scalars())

    async def swept_until(self) -> datetime | None:
        found = await self._session.execute(select(sweeps.c.swept_until).where(sweeps.c.name == _SWEEP))
        return found.scalar_one_or_none()

    async def sweep_to(self, until: datetime) -> None:
        await self._session.execute(
            insert(sweeps)
            .values(name=_SWEEP, swept_until=until)
            .on_conflict_do_update(index_elements=[sweeps.c.name], set_={"swept_until": until})
        )
