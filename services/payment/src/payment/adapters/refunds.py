"""Refunds in Postgres."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import refunds
from payment.domain.refund import OPEN, Refund, RefundStatus

_R = refunds.c
_COLUMNS = (
    _R.id, _R.payment_intent_id, _R.e2e_id, _R.amount, _R.reason, _R.requested_by, _R.created_at, _R.status,
    _R.return_id, _R.failure_reason, _R.finished_at,
)  # fmt: skip


class SqlRefunds:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, refund: Refund) -> None:
        values = {**_values(refund), "next_attempt_at": refund.created_at}
        await self._session.execute(insert(refunds).values(values))

    async def lock(self, refund_id: UUID) -> Refund | None:
        query = select(*_COLUMNS).where(_R.id == refund_id).with_for_update()
        row = (await self._session.execute(query)).mappings().one_or_none()
        return None if row is None else _refund(row)

    async def save(self, refund: Refund) -> None:
        values = {**_values(refund), "updated_at": func.now()}
        await self._session.execute(update(refunds).where(_R.id == refund.id).values(values))

    async def open_amount(self, intent_id: UUID) -> Decimal:
        total = select(func.coalesce(func.sum(_R.amount), 0)).where(
            _R.payment_intent_id == intent_id, _R.status.in_(OPEN)
        )
        return Decimal((await self._session.execute(total)).scalar_one())

    async def claim_open(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Refund]:
        due = (
            select(_R.id)
            .where(_R.status.in_(OPEN), _R.next_attempt_at <= now)
            .order_by(_R.next_attempt_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = await self._session.execute(
            update(refunds)
            .where(_R.id.in_(due.scalar_subquery()))
            .values(next_attempt_at=until)
            .returning(*_COLUMNS)
        )
        return [_refund(row) for row in claimed.mappings()]


def _values(refund: Refund) -> Mapping[str, Any]:
    return {column.name: getattr(refund, column.name) for column in _COLUMNS}


def _refund(row: RowMapping) -> Refund:
    return Refund(**{**row, "status": RefundStatus(row["status"])})
