"""Refunds in Postgres."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import refunds
from payment.domain.refund import OPEN, Refund, RefundOrigin, RefundStatus, RefundTarget

_R = refunds.c
_COLUMNS = (
    _R.id, _R.payment_intent_id, _R.e2e_id, _R.efi_id, _R.amount, _R.reason, _R.requested_by, _R.created_at,
    _R.target, _R.origin, _R.status, _R.return_id, _R.failure_reason, _R.finished_at, _R.attempts,
)  # fmt: skip


class SqlRefunds:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, refund: Refund) -> None:
        values = {**_values(refund), "next_attempt_at": refund.created_at}
        await self._session.execute(insert(refunds).values(values))

    async def get(self, refund_id: UUID) -> Refund | None:
        return await self._one(select(*_COLUMNS).where(_R.id == refund_id))

    async def lock(self, refund_id: UUID) -> Refund | None:
        return await self._one(select(*_COLUMNS).where(_R.id == refund_id).with_for_update())

    async def save(self, refund: Refund) -> None:
        values = {**_values(refund), "updated_at": func.now()}
        await self._session.execute(update(refunds).where(_R.id == refund.id).values(values))

    async def by_efi_id(self, e2e_id: str, efi_id: str) -> Sequence[Refund]:
        return await self._many((_R.e2e_id == e2e_id) & (_R.efi_id == efi_id))

    async def of_e2e(self, e2e_id: str) -> Sequence[Refund]:
        return await self._many(_R.e2e_id == e2e_id)

    async def asked_for(self, e2e_ids: Sequence[str]) -> frozenset[str]:
        query = select(_R.e2e_id).where(_R.e2e_id.in_(e2e_ids)).distinct()
        return frozenset((await self._session.execute(query)).scalars())

    async def of_payment(self, intent_id: UUID) -> Sequence[Refund]:
        return await self._many((_R.payment_intent_id == intent_id) & (_R.target == RefundTarget.FARE))

    async def open_amount(self, intent_id: UUID) -> Decimal:
        of_fare = (_R.payment_intent_id == intent_id) & (_R.target == RefundTarget.FARE)
        return await self._sum(of_fare & _R.status.in_(OPEN))

    async def credit_given(self, e2e_id: str) -> Decimal:
        return await self._sum(_of_credit(e2e_id) & (_R.status != RefundStatus.FAILED))

    async def credit_refunded(self, e2e_id: str) -> Decimal:
        return await self._sum(_of_credit(e2e_id) & (_R.status == RefundStatus.REFUNDED))

    async def oldest_open(self) -> datetime | None:
        query = select(func.min(_R.created_at)).where(_R.status.in_(OPEN))
        oldest: datetime | None = await self._session.scalar(query)
        return oldest

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
            .values(next_attempt_at=until, attempts=_R.attempts + 1)
            .returning(*_COLUMNS)
        )
        return [_refund(row) for row in claimed.mappings()]

    async def postpone(self, refund_id: UUID, *, until: datetime) -> None:
        await self._session.execute(update(refunds).where(_R.id == refund_id).values(next_attempt_at=until))

    async def _one(self, query: Select[Any]) -> Refund | None:
        row = (await self._session.execute(query)).mappings().one_or_none()
        return None if row is None else _refund(row)

    async def _many(self, which: ColumnElement[bool]) -> Sequence[Refund]:
        query = select(*_COLUMNS).where(which).order_by(_R.id)
        return [_refund(row) for row in (await self._session.execute(query)).mappings()]

    async def _sum(self, which: ColumnElement[bool]) -> Decimal:
        total = select(func.coalesce(func.sum(_R.amount), 0)).where(which)
        return Decimal((await self._session.execute(total)).scalar_one())


def _of_credit(e2e_id: str) -> ColumnElement[bool]:
    return (_R.e2e_id == e2e_id) & (_R.target == RefundTarget.CREDIT)


def _values(refund: Refund) -> Mapping[str, Any]:
    return {column.name: getattr(refund, column.name) for column in _COLUMNS if column.name != "attempts"}


def _refund(row: RowMapping) -> Refund:
    return Refund(
        **{
            **row,
            "status": RefundStatus(row["status"]),
            "target": RefundTarget(row["target"]),
            "origin": RefundOrigin(row["origin"]),
        }
    )
