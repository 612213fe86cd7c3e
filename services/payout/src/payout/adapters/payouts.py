"""Payouts in Postgres."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.money import money
from payout.adapters.tables import payout_attempts, payout_contradictions, payout_returns, payouts
from payout.domain.bank_details import Snapshot
from payout.domain.contradiction import Contradiction
from payout.domain.limits import Usage
from payout.domain.payout import Payout
from payout.domain.returns import KnownReturn
from payout.domain.send import Outcome
from payout.domain.step import SENT_ONCE, Status, Step

_P = payouts.c
_R = payout_returns.c
_C = payout_contradictions.c
_REACHED_THE_BANK: Final = sorted({Step.SENT, Step.UNKNOWN, Step.FAILED, *SENT_ONCE})
_PLATFORM_LOCK: Final = 0x1B0BA60


class StalePayout(RuntimeError):
    """Someone wrote the payout since it was read: a bug, since writers lock it first."""


class SqlPayouts:
    """`due_at` is a worker's alarm: moving it is no new version of the payout.

    `hinted_at` is an alarm that rang since the payout was claimed: whatever the worker heard is older than that,
    so it may not put it off.
    """

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
        values: dict[str, Any] = {**_values(payout), "due_at": _unless_hinted(due_at)}
        if payout.step is Step.SENDING:
            # A lease on a call that is newer than any hint: its answer will be too.
            values |= {"due_at": due_at, "hinted_at": None}
        statement = update(payouts).where(unchanged).values(values).returning(_P.id)
        if (await self._session.execute(statement)).first() is None:
            raise StalePayout(str(payout.id))

    async def postpone(self, payout_id: UUID, *, due_at: datetime | None) -> None:
        alarm = _unless_hinted(due_at)
        await self._session.execute(update(payouts).where(_P.id == payout_id).values(due_at=alarm))

    async def hasten(self, id_envio: str, *, now: datetime) -> bool:
        known = and_(_P.id_envio == id_envio, _P.step.in_(_REACHED_THE_BANK))
        hint = update(payouts).where(known).values(due_at=now, hinted_at=now)
        found = await self._session.execute(hint.returning(_P.id))
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
            update(payouts)
            .where(_P.id.in_(due.scalar_subquery()))
            .values(due_at=until, hinted_at=None)
            .returning(*payouts.c)
        )
        return [_payout(row) for row in claimed.mappings()]

    async def list_of(
        self,
        driver_id: UUID | None,
        *,
        before: tuple[datetime, UUID] | None,
        limit: int,
        status: Status | None = None,
        step: Step | None = None,
    ) -> Sequence[Payout]:
        query = select(payouts).order_by(_P.created_at.desc(), _P.id.desc()).limit(limit)
        for column, wanted in ((_P.driver_id, driver_id), (_P.status, status), (_P.step, step)):
            if wanted is not None:
                query = query.where(column == wanted)
        if before is not None:
            query = query.where(tuple_(_P.created_at, _P.id) < tuple_(*before))
        return [_payout(row) for row in (await self._session.execute(query)).mappings()]

    async def used(self, driver_id: UUID | None, *, start: datetime, end: datetime) -> Usage:
        counted = select(func.count(), func.coalesce(func.sum(_P.amount), 0)).where(
            _P.created_at >= start, _P.created_at < end, _P.status != Status.FAILED.value
        )
        if driver_id is not None:
            counted = counted.where(_P.driver_id == driver_id)
        number, amount = (await self._session.execute(counted)).one()
        return Usage(count=number, amount=money(amount))

    async def lock_platform(self) -> None:
        await self._session.execute(select(func.pg_advisory_xact_lock(_PLATFORM_LOCK)))

    async def asked_for(self, driver_id: UUID, *, beyond_version: int) -> Decimal:
        undecided = _P.step.in_([Step.REQUESTED, Step.READY])
        query = select(func.coalesce(func.sum(_P.amount), 0)).where(
            _P.driver_id == driver_id, or_(undecided, _P.held_version > beyond_version)
        )
        return money((await self._session.execute(query)).scalar_one())

    async def add_return(self, payout_id: UUID, *, one: KnownReturn, now: datetime) -> bool:
        statement = (
            insert(payout_returns)
            .values(return_id=one.return_id, payout_id=payout_id, amount=one.amount, noted_at=now)
            .on_conflict_do_nothing()
            .returning(_R.return_id)
        )
        return (await self._session.execute(statement)).first() is not None

    async def returns_of(self, payout_id: UUID) -> Sequence[KnownReturn]:
        query = select(_R.return_id, _R.amount).where(_R.payout_id == payout_id)
        rows = await self._session.execute(query.order_by(_R.noted_at, _R.return_id))
        return [KnownReturn(return_id=row.return_id, amount=money(row.amount)) for row in rows]

    async def add_contradiction(self, payout_id: UUID, *, found: Contradiction, now: datetime) -> bool:
        values = {"known": found.known, "reported": found.reported, "detail": found.detail}
        statement = (
            insert(payout_contradictions)
            .values(payout_id=payout_id, found_at=now, **values)
            .on_conflict_do_nothing()
            .returning(_C.payout_id)
        )
        return (await self._session.execute(statement)).first() is not None

    async def contradictions_of(self, payout_id: UUID) -> Sequence[Contradiction]:
        query = select(_C.known, _C.reported, _C.detail).where(_C.payout_id == payout_id)
        rows = await self._session.execute(query.order_by(_C.found_at, _C.reported))
        return [Contradiction(**row) for row in rows.mappings()]

    async def oldest_in_doubt(self) -> datetime | None:
        doubtful = or_(
            payout_attempts.c.outcome.is_(None), payout_attempts.c.outcome == Outcome.UNCLEAR.value
        )
        attempted = select(1).where(payout_attempts.c.payout_id == _P.id, doubtful).exists()
        # SENDING with no attempt in doubt is only waiting: its calls never got there.
        in_doubt = or_(_P.step == Step.UNKNOWN, and_(_P.step == Step.SENDING, attempted))
        oldest: datetime | None = await self._session.scalar(select(func.min(_P.asked_at)).where(in_doubt))
        return oldest

    async def oldest_open(self, statuses: Collection[Status]) -> Mapping[Status, datetime]:
        since = func.min(func.coalesce(_P.asked_at, _P.created_at)).label("since")
        query = select(_P.status, since).where(_P.status.in_(sorted(statuses))).group_by(_P.status)
        return {Status(row.status): row.since for row in await self._session.execute(query)}

    async def _one(self, query: Select[Any]) -> Payout | None:
        row = (await self._session.execute(query)).mappings().one_or_none()
        return None if row is None else _payout(row)


def _unless_hinted(due_at: datetime | None) -> ColumnElement[datetime | None]:
    """The earlier of the two; LEAST leaves out what is null."""
    wanted = bindparam(None, due_at, type_=_P.due_at.type)
    return case((_P.hinted_at.is_(None), wanted), else_=func.least(_P.hinted_at, wanted))


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
