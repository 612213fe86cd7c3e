"""Journals, their reversal, and closed days, for administrators."""

from datetime import date
from typing import Any, cast

from fastapi import APIRouter, Request, Response

import web
from kernel.refusals import NotFound
from ledger.api.deps import DepsDep
from ledger.api.journal_views import ClosedDayView, JournalView
from ledger.api.orders import DayOrder, ReasonOrder
from ledger.domain.closing import ClosedDay, DayNotOver, DayNotReconciled, DayOutOfOrder
from ledger.domain.driver_balance import NegativeBalance
from ledger.domain.reversal import AlreadyReversed, NotReversible
from ledger.usecases.close_day import close_day
from ledger.usecases.get_journal import get_journal
from ledger.usecases.list_closed_days import list_closed_days
from ledger.usecases.reverse_transaction import reverse_transaction
from web import AdminOnly, IdempotencyKey

router = APIRouter(prefix="/admin/ledger", tags=["journals"])


@router.get("/journals/{journal_id}", operation_id="get_journal", responses=web.errors(NotFound))
async def journal(journal_id: str, _: AdminOnly, deps: DepsDep) -> JournalView:
    """A posted journal, by its id or its transaction id."""
    async with deps.reading() as tx:
        found = await get_journal(tx, name=journal_id)
    return JournalView.of(found)


@router.post(
    "/journals/{journal_id}/reversal",
    operation_id="reverse_transaction",
    status_code=201,
    response_model=JournalView,
    responses=web.errors(NotFound, AlreadyReversed, NotReversible, NegativeBalance),
)
async def post_reversal(
    request: Request,
    journal_id: str,
    body: ReasonOrder,
    principal: AdminOnly,
    key: IdempotencyKey,
    deps: DepsDep,
) -> Response:
    """Undo what is left of a journal by new entries, once. What a driver no longer has, they owe."""

    async def work(tx: Any) -> JournalView:
        posted = await reverse_transaction(
            tx,
            transaction_id=journal_id,
            reason=body.reason,
            actor=web.actor(request, principal),
            now=deps.now(),
        )
        return JournalView.of(posted)

    return await web.idempotent(
        request,
        transaction=deps.transaction,
        principal=principal,
        operation="reverse_transaction",
        key=key,
        work=work,
    )


@router.get("/closed-days", operation_id="list_closed_days", response_model=web.Page[ClosedDayView])
async def closed_days(_: AdminOnly, deps: DepsDep, limit: web.Limit, cursor: web.Cursor) -> dict[str, Any]:
    """Newest first."""
    async with deps.reading() as tx:
        found = await list_closed_days(tx, before=day_of(cursor), limit=limit + 1)
    return web.page(found, limit=limit, cursor_of=_day, view=ClosedDayView.of)


@router.post(
    "/closed-days",
    operation_id="close_day",
    status_code=201,
    responses=web.errors(DayNotOver, DayOutOfOrder, DayNotReconciled),
)
async def post_closed_day(
    request: Request, body: DayOrder, principal: AdminOnly, deps: DepsDep
) -> ClosedDayView:
    """Sign that a past day's books are done: the day after the last closed one, reconciled with the bank."""
    async with deps.transaction() as tx:
        actor = web.actor(request, principal)
        closed = await close_day(tx, day=body.day, actor=actor, now=deps.now())
    return ClosedDayView.of(closed)


def day_of(cursor: str | None) -> date | None:
    """The day in a cursor of a list of days."""
    key = cast("tuple[str] | None", web.decode_cursor(cursor, types=(str,)))
    if key is None:
        return None
    try:
        return date.fromisoformat(key[0])
    except ValueError as error:
        raise web.InvalidCursor from error


def _day(closed: ClosedDay) -> tuple[str]:
    return (closed.day.isoformat(),)
