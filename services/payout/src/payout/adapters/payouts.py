"""Payouts in Postgres."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, Select, and_, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.money import money
from payout.adapters.tables import payout_returns, payouts
from payout.domain.bank_details import Snapshot
from payout.domain.payout import SENT_ONCE, Payout, Step

_P = payouts.c
_REACHED_THE_BANK: Final = sorted({Step.SENT, Step.UNKNOWN, Step.FAILED, *SENT_ONCE})


class StalePayout(RuntimeError):
    """Someone wrote the payout since it was read: a bug, since writers lock it first."""


class SqlPayouts:
    """`due_at` is a worker's alarm: moving it is no new version of the payout."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, payout: Payout, *, due_at: datetime | None) -> None:
        values = {**_values(payout), "due_at": due_at}
        await self._session.execute(insert(payouts).values(values))

    async def get(self, payout_id: UUID) -> Payout | None:
        return await self._one(select(payouts).where(_P.id == payout_id))

    async def lock(self, payout_id: UUID) -> Payout | None:
        return await self._one(select(payouts).where(_P.id == payout_id).with_for_update())

    async def save(self, payout: Payout, *, due_at: datetime | None) -> None:
        # One save may hold several moves (completed, then returned), so the version is only held to grow.
        unchanged = and_(_P.id == payout.id, _P.version < payout.version)
        values = {**_values(payout), "due_at": due_at}
        statement = update(payouts).where(unchanged).values(values).returning(_P.id)
        if (await self._session.execute(statement)).first() is None:
            raise StalePayout(str(payout.id))

    async def postpone(self, payout_id: UUID, *, due_at: datetime | None) -> None:
        await self._session.execute(update(payouts).where(_P.id == payout_id).values(due_at=due_at))

    async def hasten(self, id_envio: str, *, now: datetime) -> bool:
        known = and_(_P.id_envio == id_envio, _P.step.in_(_REACHED_THE_BANK))
        found = await self._session.execute(update(payouts).where(known).values(due_at=now).returning(_P.id))
        return found.first() is not None

    async def claim_due(
        self, steps: Collection[Step], *, now: datetime, until: datetime, limit: int
    ) -> Sequence[Payout]:
        due = (
            select(_P.id)
            .where(_P.step.in_(sorted(steps)), _P.due_at <= now)
            .order_by(_P.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = await self._session.execute(
            update(payouts).where(_P.id.in_(due.scalar_subquery())).values(due_at=until).returning(*payouts.c)
        )
        return [_payout(row) for row in claimed.mappings()]

    async def list_of(
        self, driver_id: UUID | None, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Payout]:
        query = select(payouts).order_by(_P.created_at.desc(), _P.id.desc()).limit(limit)
        if driver_id is not None:
            query = query.where(_P.driver_id == driver_id)
        if before is not None:
            query = query.where(tuple_(_P.created_at, _P.id) < tuple_(*before))
        return [_payout(row) for row in (await self._session.execute(query)).mappings()]

    async def asked_for(self, driver_id: UUID, *, beyond_version: int) -> Decimal:
        undecided = _P.step.in_([Step.REQUESTED, Step.READY])
        query = select(func.coalesce(func.sum(_P.amount), 0)).where(
            _P.driver_id == driver_id, or_(undecided, _P.held_version > beyond_version)
        )
        return money((await self._session.execute(query)).scalar_one())

    async def add_return(self, payout_id: UUID, *, return_id: str, amount: Decimal, now: datetime) -> bool:
        statement = (
            insert(payout_returns)
            .values(return_id=return_id, payout_id=payout_id, amount=amount, noted_at=now)
            .on_conflict_do_nothing()
            .returning(payout_returns.c.return_id)
        )
        return (await self._session.execute(statement)).first() is not None

    async def _one(self, query: Select[Any]) -> Payout | None:
        row = (await self._session.execute(query)).mappings().one_or_none()
        return None if row is None else _payout(row)


def _values(payout: Payout) -> dict[str, Any]:
    snapshot = payout.snapshot
    return {
        "id": payout.id,
        "driver_id": payout.driver_id,
        "amount": payout.amount,
        "status": payout.status.value,
        "payout_method": payout.payout_method,
        "bank_details": snapshot and {"sealed": snapshot.sealed, "masked": snapshot.masked},
        "provider": payout.provider,
        "provider_transaction_id": payout.provider_transaction_id,
        "provider_response": dict(payout.provider_response),
        "created_at": payout.created_at,
        "completed_at": payout.completed_at,
        "failed_at": payout.failed_at,
        "failure_reason": payout.failure_reason,
        "step": payout.step.value,
        "version": payout.version,
        "held": payout.held,
        "held_version": payout.held_version,
        "id_envio": payout.id_envio,
        "fee": payout.fee,
        "returned": payout.returned,
        "asked_at": payout.asked_at,
    }


def _payout(row: RowMapping) -> Payout:
    same = (
        "id", "driver_id", "amount", "payout_method", "provider", "provider_transaction_id",
        "provider_response", "created_at", "completed_at", "failed_at", "failure_reason", "version", "held",
        "held_version", "id_envio", "fee", "returned", "asked_at",
    )  # fmt: skip
    details = row["bank_details"]
    return Payout(
        **{name: row[name] for name in same},
        step=Step(row["step"]),
        snapshot=details and Snapshot(sealed=details["sealed"], masked=details["masked"]),
    )
