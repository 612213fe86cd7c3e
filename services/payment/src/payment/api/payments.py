"""The payment of a ride, as its passenger, its driver and admins see it."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

import web
from kernel.ids import id_time
from kernel.refusals import NotFound, NotYetKnown
from payment.api.deps import Deps, DepsDep
from payment.api.views import (
    IntentRequest,
    PaymentView,
    RefundDetailView,
    RefundRequest,
    RefundsView,
    RefundView,
)
from payment.domain.refund import PaymentNotRefundable, RefundExceedsPayment
from payment.domain.ride import Ride, RideNotPayableYet, RideState
from payment.usecases.open_intent import open_intent
from payment.usecases.request_refund import request_refund
from web import AdminOnly, AnyUser, IdempotencyKey, PassengerOnly

router = APIRouter(tags=["payments"])

FACTS_ARRIVE_WITHIN_S = 60.0


@router.post(
    "/payments/intent",
    operation_id="open_intent",
    status_code=201,
    response_model=PaymentView,
    responses=web.errors(RideNotPayableYet, NotFound, NotYetKnown),
)
async def post_intent(
    request: Request, body: IntentRequest, principal: PassengerOnly, key: IdempotencyKey, deps: DepsDep
) -> Response:
    """Open the payment of a completed ride, or answer the one that is open (200)."""
    ride = await _ride(deps, body.ride_id)
    web.not_found_unless(ride.passenger_id == principal.user_id)
    await _completed(deps, ride)

    async def work(tx: Any) -> web.Reply:
        intent, charge, new = await open_intent(
            tx, ride_id=ride.id, now=deps.now(), ttl_s=deps.policy.charge_ttl_s
        )
        return web.Reply(201 if new else 200, PaymentView.of(intent, charge, codes=True))

    return await web.idempotent(
        request,
        transaction=deps.transaction,
        principal=principal,
        operation="open_intent",
        key=key,
        work=work,
    )


@router.get(
    "/rides/{ride_id}/payment",
    operation_id="get_payment",
    response_model=PaymentView,
    responses=web.errors(NotFound, NotYetKnown),
)
async def get_payment(ride_id: UUID, principal: AnyUser, deps: DepsDep) -> PaymentView:
    """The newest payment of a ride. Its driver sees it without the codes."""
    ride = await _ride(deps, ride_id)
    parties = {ride.passenger_id, ride.driver_id}
    web.not_found_unless(principal.user_type == "admin" or principal.user_id in parties)
    web.not_found_unless(ride.state is not RideState.CLOSED)

    async def read() -> PaymentView | None:
        async with deps.transaction() as tx:
            found = await tx.intents.latest_of(ride_id)
        return PaymentView.of(*found, codes=principal.user_id != ride.driver_id) if found else None

    return await web.wait_until_known(read)


@router.post(
    "/admin/payments/{payment_id}/refunds",
    operation_id="request_refund",
    status_code=201,
    response_model=RefundView,
    responses=web.errors(NotFound, RefundExceedsPayment, PaymentNotRefundable),
)
async def post_refund(
    request: Request,
    payment_id: UUID,
    body: RefundRequest,
    principal: AdminOnly,
    key: IdempotencyKey,
    deps: DepsDep,
) -> Response:
    """Give part or all of a confirmed payment back to its passenger."""

    async def work(tx: Any) -> RefundView:
        refund = await request_refund(
            tx,
            payment_id=payment_id,
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
        operation="request_refund",
        key=key,
        work=work,
    )


@router.get(
    "/admin/payments/{payment_id}/refunds",
    operation_id="list_refunds",
    response_model=RefundsView,
    responses=web.errors(NotFound),
)
async def get_refunds(payment_id: UUID, principal: AdminOnly, deps: DepsDep) -> RefundsView:
    """Every refund of a payment's fare, whoever asked for it, with what became of it."""
    async with deps.transaction() as tx:
        web.not_found_unless(await tx.intents.get(payment_id))
        refunds = await tx.refunds.of_payment(payment_id)
    return RefundsView(data=[RefundDetailView.of(refund) for refund in refunds])


async def _ride(deps: Deps, ride_id: UUID) -> Ride:
    """The ride; NotYetKnown when it is so young that its facts may be on their way, else NotFound."""

    async def read() -> Ride | None:
        async with deps.transaction() as tx:
            ride: Ride | None = await tx.rides.get(ride_id)
        return ride

    if ride_id.version == 7 and (deps.now() - id_time(ride_id)).total_seconds() < FACTS_ARRIVE_WITHIN_S:
        return await web.wait_until_known(read)
    ride = await read()
    if ride is None:
        raise NotFound
    return ride


async def _completed(deps: Deps, ride: Ride) -> None:
    """Give a completion that is on its way the time to arrive; RideNotPayableYet when it does not."""

    async def read() -> Ride | None:
        async with deps.transaction() as tx:
            latest: Ride = await tx.rides.get(ride.id)
        return latest if latest.state is not RideState.OPEN else None

    try:
        _ = (await web.wait_until_known(read)).payable_fare
    except NotYetKnown:
        raise RideNotPayableYet from None
