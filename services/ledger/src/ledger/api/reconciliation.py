"""Reconciliation with the bank: its days and its cases, for administrators."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request

import web
from kernel.refusals import NotFound
from ledger.api.days import DayInPath
from ledger.api.deps import DepsDep
from ledger.api.journals import day_of
from ledger.api.orders import ResolutionOrder
from ledger.api.reconciliation_views import BankDayView, CaseView
from ledger.domain.bank_day import BankDay
from ledger.domain.cases import Case, CaseAlreadyResolved, CaseKind, CaseStatus, CorrectionNotNamed
from ledger.usecases.get_case import get_case
from ledger.usecases.get_reconciliation_day import get_reconciliation_day
from ledger.usecases.list_cases import list_cases
from ledger.usecases.list_reconciliation_days import list_reconciliation_days
from ledger.usecases.resolve_case import resolve_case
from web import AdminOnly

router = APIRouter(prefix="/admin/reconciliation", tags=["reconciliation"])


@router.get("/cases", operation_id="list_cases", response_model=web.Page[CaseView])
async def cases(
    _: AdminOnly,
    deps: DepsDep,
    limit: web.Limit,
    cursor: web.Cursor,
    status: CaseStatus | None = None,
    kind: CaseKind | None = None,
) -> dict[str, Any]:
    """Newest first."""
    after = cast("tuple[datetime, UUID] | None", web.decode_cursor(cursor))
    async with deps.reading() as tx:
        found = await list_cases(tx, status=status, kind=kind, after=after, limit=limit + 1)
    return web.page(found, limit=limit, cursor_of=_place, view=CaseView.of)


@router.get("/cases/{case_id}", operation_id="get_case", responses=web.errors(NotFound))
async def case(case_id: UUID, _: AdminOnly, deps: DepsDep) -> CaseView:
    """One case."""
    async with deps.reading() as tx:
        found = await get_case(tx, case_id=case_id)
    return CaseView.of(found)


@router.post(
    "/cases/{case_id}/resolve",
    operation_id="resolve_case",
    responses=web.errors(NotFound, CaseAlreadyResolved, CorrectionNotNamed),
)
async def post_resolution(
    request: Request, case_id: UUID, body: ResolutionOrder, principal: AdminOnly, deps: DepsDep
) -> CaseView:
    """Write down what it was, once. Nothing is posted by it."""
    async with deps.transaction() as tx:
        resolved = await resolve_case(
            tx,
            case_id=case_id,
            resolution=body.resolution,
            note=body.note,
            journal=body.journal,
            actor=web.actor(request, principal),
            now=deps.now(),
        )
    return CaseView.of(resolved)


@router.get("/days", operation_id="list_reconciliation_days", response_model=web.Page[BankDayView])
async def days(_: AdminOnly, deps: DepsDep, limit: web.Limit, cursor: web.Cursor) -> dict[str, Any]:
    """Newest first."""
    async with deps.reading() as tx:
        found = await list_reconciliation_days(tx, before=day_of(cursor), limit=limit + 1)
    return web.page(found, limit=limit, cursor_of=_day, view=BankDayView.of)


@router.get("/days/{day}", operation_id="get_reconciliation_day", responses=web.errors(NotFound))
async def bank_day(day: DayInPath, _: AdminOnly, deps: DepsDep) -> BankDayView:
    """One day's statement beside the books."""
    async with deps.reading() as tx:
        found = await get_reconciliation_day(tx, day=day)
    return BankDayView.of(found)


def _place(found: Case) -> tuple[datetime, UUID]:
    return found.opened_at, found.id


def _day(found: BankDay) -> tuple[str]:
    return (found.day.isoformat(),)
