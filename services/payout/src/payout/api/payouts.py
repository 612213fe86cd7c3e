"""Request, list and look at payouts."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

import web
from kernel.ids import new_id
from kernel.refusals import NotFound, NotYetKnown
from payout.api.deps import DepsDep, require_known
from payout.api.views import PayoutRequest, PayoutView
from payout.domain.limits import AboveMaximum, BelowMinimum, PayoutLimitReached
from payout.domain.payout import InsufficientBalance, Payout
from payout.domain.standing import AccountNotActive, PixKeyCoolingDown
from payout.metrics import CREATED
from payout.ports import Tx
from payout.usecases.get_payout import get_payout
from payout.usecases.list_payouts import list_payouts
from payout.usecases.request_payout import request_payout
from web import DriverOnly, IdempotencyKey, Principal

router = APIRouter(prefix="/payouts", tags=["payouts"])

DriverOrAdmin = Annotated[Principal, Depends(web.requires("driver", "admin"))]


@router.post(
    "",
    operation_id="request_payout",
    status_code=201,
    response_model=PayoutView,
    responses=web.errors(
        InsufficientBalance,
        BelowMinimum,
        AboveMaximum,
        AccountNotActive,
        PixKeyCoolingDown,
        PayoutLimitReached,
        NotYetKnown,
    ),
)
async def post_payout(
    request: Request, body: PayoutRequest, principal: DriverOnly, key: IdempotencyKey, deps: DepsDep
) -> Response:
    """Ask for a payout to the Pix key on file. The ledger decides; the answer comes as an event."""
    await require_known(deps, principal.user_id)

    async def work(tx: Any) -> PayoutView:
        return PayoutView.of(await _request(tx, request, body, principal, deps))

    return await web.idempotent(
        request,
        transaction=deps.transaction,
        principal=principal,
        operation="request_payout",
        key=key,
        work=work,
    )


async def _request(
    tx: Tx, request: Request, body: PayoutRequest, principal: Principal, deps: DepsDep
) -> Payout:
    payout = await request_payout(
        tx,
        payout_id=new_id(),
        driver_id=principal.user_id,
        amount=body.amount,
        policy=deps.policy,
        actor=web.actor(request, principal),
        now=deps.now(),
    )
    tx.after_commit(_created)
    return payout


async def _created() -> None:
    CREATED.inc()


@router.get("", operation_id="list_payouts")
async def get_payouts(
    principal: DriverOrAdmin,
    limit: web.Limit,
    cursor: web.Cursor,
    deps: DepsDep,
    driver_id: Annotated[UUID | None, Query(description="Admins only: of this driver")] = None,
) -> web.Page[PayoutView]:
    """Newest first: the driver's own; an admin sees everybody's."""
    wanted = driver_id if principal.user_type == "admin" else principal.user_id
    before = web.decode_cursor(cursor)
    async with deps.transaction() as tx:
        rows = await list_payouts(
            tx, driver_id=wanted, before=(before[0], before[1]) if before else None, limit=limit + 1
        )
    found = web.page(
        rows, limit=limit, cursor_of=lambda payout: (payout.created_at, payout.id), view=PayoutView.of
    )
    return web.Page[PayoutView].model_validate(found)


@router.get("/{payout_id}", operation_id="get_payout", responses=web.errors(NotFound))
async def get_one(payout_id: UUID, principal: DriverOrAdmin, deps: DepsDep) -> PayoutView:
    """One payout of the driver's own; an admin sees any."""
    own = None if principal.user_type == "admin" else principal.user_id
    async with deps.transaction() as tx:
        return PayoutView.of(await get_payout(tx, payout_id=payout_id, driver_id=own))
