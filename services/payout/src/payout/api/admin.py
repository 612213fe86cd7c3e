"""Payouts as whoever runs the platform sees them: their steps, attempts, doubts. Bank details stay masked."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

import web
from kernel.refusals import NotFound
from payout.api.deps import DepsDep
from payout.api.views import AdminPayoutView, HistoryView
from payout.domain.step import Status, Step
from payout.usecases.inspect_payout import inspect_payout
from payout.usecases.search_payouts import search_payouts
from web import AdminOnly

router = APIRouter(prefix="/admin/payouts", tags=["payouts"])


@router.get("", operation_id="search_payouts")
async def get_admin_payouts(
    admin: AdminOnly,
    limit: web.Limit,
    cursor: web.Cursor,
    deps: DepsDep,
    driver_id: Annotated[UUID | None, Query(description="Of this driver")] = None,
    status: Annotated[Status | None, Query(description="In this status")] = None,
    step: Annotated[Step | None, Query(description="At this step; UNKNOWN: the bank may have it")] = None,
) -> web.Page[AdminPayoutView]:
    """Newest first."""
    before = web.decode_cursor(cursor)
    async with deps.transaction() as tx:
        rows = await search_payouts(
            tx,
            driver_id=driver_id,
            status=status,
            step=step,
            before=(before[0], before[1]) if before else None,
            limit=limit + 1,
        )
    found = web.page(
        rows, limit=limit, cursor_of=lambda payout: (payout.created_at, payout.id), view=AdminPayoutView.of
    )
    return web.Page[AdminPayoutView].model_validate(found)


@router.get("/{payout_id}", operation_id="inspect_payout", responses=web.errors(NotFound))
async def get_admin_payout(payout_id: UUID, admin: AdminOnly, deps: DepsDep) -> HistoryView:
    """One payout with its attempts, returns and contradictions."""
    async with deps.transaction() as tx:
        return HistoryView.of_history(await inspect_payout(tx, payout_id=payout_id))
