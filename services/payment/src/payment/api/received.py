"""The Pix that reached our account, for admins: what is held, and giving it back."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

import web
from kernel.refusals import NotFound
from payment.api.deps import DepsDep
from payment.api.views import ReceivedPixView, RefundRequest, RefundView
from payment.domain.refund import RefundExceedsPayment
from payment.usecases.request_credit_refund import request_credit_refund
from web import AdminOnly, IdempotencyKey

router = APIRouter(tags=["payments"])


@router.get("/admin/received-pix", operation_id="list_received_pix", response_model=web.Page[ReceivedPixView])
async def get_received_pix(
    principal: AdminOnly,
    limit: web.Limit,
    cursor: web.Cursor,
    deps: DepsDep,
    held: Annotated[bool, Query(description="Only those of which something is or was held")] = False,
) -> web.Page[ReceivedPixView]:
    """Newest first; who paid stays with Efí."""
    before = web.decode_cursor(cursor, types=(datetime, str))
    after = (before[0], before[1]) if before else None
    async with deps.transaction() as tx:
        rows = await tx.received.page(mismatch=held, after=after, limit=limit + 1)
    found = web.page(
        rows, limit=limit, cursor_of=lambda row: (row.paid_at, row.e2e_id), view=ReceivedPixView.of
    )
    return web.Page[ReceivedPixView](**found)


@router.post(
    "/admin/received-pix/{e2e_id}/refunds",
    operation_id="request_credit_refund",
    status_code=201,
    response_model=RefundView,
    responses=web.errors(NotFound, RefundExceedsPayment),
)
async def post_credit_refund(
    request: Request,
    e2e_id: str,
    body: RefundRequest,
    principal: AdminOnly,
    key: IdempotencyKey,
    deps: DepsDep,
) -> Response:
    """Give held money of a Pix, whole or in part, back to whoever paid it."""

    async def work(tx: Any) -> RefundView:
        refund = await request_credit_refund(
            tx,
            e2e_id=e2e_id,
            amount=body.amount,
            reason=body.reason,
            actor=web.actor(request, principal),
            now=deps.now(),
        )
        return RefundView.of(refund)

    return await web.idempotent(
        request,
        transaction=deps.transaction,
        principal=principal,
        operation="request_credit_refund",
        key=key,
        work=work,
    )
