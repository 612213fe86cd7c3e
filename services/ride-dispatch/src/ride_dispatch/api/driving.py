"""A ride as its driver takes it and drives it."""

from time import perf_counter
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

import web
from kernel.refusals import FieldError, Invalid, NotFound, NotYetKnown
from ride_dispatch.api.deps import DepsDep, Party, require_known
from ride_dispatch.api.views import AcceptRequest, CompleteRequest, RideView
from ride_dispatch.domain.driver import AccountNotActive, DriverNotApproved
from ride_dispatch.domain.offer import RideNotAvailable
from ride_dispatch.domain.ride import IllegalTransition, Ride
from ride_dispatch.effects.await_points import await_points
from ride_dispatch.effects.refresh_driver import refresh_driver
from ride_dispatch.metrics import (
    ACCEPT_DURATION,
    ACCEPT_LOCK,
    ACCEPTS_LOST,
    OFFERS_REJECTED,
    RIDES_ACCEPTED,
    TIME_TO_MATCH,
)
from ride_dispatch.ports import Deps
from ride_dispatch.usecases.accept_ride import accept_ride
from ride_dispatch.usecases.arrive_ride import arrive_ride
from ride_dispatch.usecases.complete_ride import complete_ride
from ride_dispatch.usecases.reject_offer import reject_offer
from ride_dispatch.usecases.start_ride import start_ride
from telemetry import get_logger
from web import DriverOnly, OptionalIdempotencyKey, Principal

log = get_logger(__name__)
router = APIRouter(tags=["driving"])


@router.post(
    "/rides/{ride_id}/accept",
    operation_id="accept_ride",
    response_model=RideView,
    responses=web.errors(
        web.IdempotencyKeyRequired,
        RideNotAvailable,
        NotFound,
        NotYetKnown,
        DriverNotApproved,
        AccountNotActive,
        Invalid,
    ),
)
async def post_accept(
    request: Request,
    ride_id: UUID,
    principal: DriverOnly,
    header_key: OptionalIdempotencyKey,
    deps: DepsDep,
    body: AcceptRequest | None = None,
) -> Response:
    """Take an offered ride: one driver wins, the others get 409 `ride_not_available`."""
    started = perf_counter()
    key = _one_key(header_key, body)
    await require_known(deps, principal.user_id)
    async with deps.accept_lock.hold(ride_id) as held:
        ACCEPT_LOCK.labels(outcome="held" if held else "without").inc()
        response = await _accept(request, ride_id, principal=principal, key=key, deps=deps)
    ACCEPT_DURATION.observe(perf_counter() - started)
    return response


@router.post(
    "/rides/{ride_id}/reject",
    operation_id="reject_offer",
    status_code=204,
    responses=web.errors(NotFound, RideNotAvailable),
)
async def post_reject(ride_id: UUID, principal: DriverOnly, deps: DepsDep) -> None:
    """Turn an offer down."""
    async with deps.transaction() as tx:
        await reject_offer(tx, ride_id=ride_id, driver_id=principal.user_id, now=deps.now())
    OFFERS_REJECTED.inc()
    deps.nudge()


@router.post(
    "/rides/{ride_id}/arrive",
    operation_id="arrive_ride",
    response_model=RideView,
    responses=web.errors(NotFound, IllegalTransition),
)
async def post_arrive(ride_id: UUID, principal: DriverOnly, deps: DepsDep) -> RideView:
    """The driver is at the pickup."""
    async with deps.transaction() as tx:
        ride = await arrive_ride(tx, ride_id=ride_id, driver_id=principal.user_id, now=deps.now())
    log.info("arrive_ride", ride_id=str(ride_id))
    return RideView.of(ride)


@router.post(
    "/rides/{ride_id}/start",
    operation_id="start_ride",
    response_model=RideView,
    responses=web.errors(NotFound, IllegalTransition),
)
async def post_start(ride_id: UUID, principal: DriverOnly, deps: DepsDep) -> RideView:
    """The passenger is in the car."""
    async with deps.transaction() as tx:
        ride = await start_ride(tx, ride_id=ride_id, driver_id=principal.user_id, now=deps.now())
    log.info("start_ride", ride_id=str(ride_id))
    return RideView.of(ride)


@router.post(
    "/rides/{ride_id}/complete",
    operation_id="complete_ride",
    response_model=RideView,
    responses=web.errors(NotFound, IllegalTransition),
    dependencies=[Depends(web.requires("driver"))],
)
async def post_complete(
    request: Request,
    ride_id: UUID,
    principal: Party,
    deps: DepsDep,
    body: CompleteRequest | None = None,
) -> RideView:
    """The ride ends; its fare follows the recorded points, never the driver's own number."""
    await await_points(deps, ride_id=ride_id, driver_id=principal.user_id)
    async with deps.transaction() as tx:
        ride = await complete_ride(
            tx,
            ride_id=ride_id,
            driver_id=principal.user_id,
            advisory_m=body.distance_m if body else None,
            actor=web.actor(request, principal),
            now=deps.now(),
        )
    log.info("complete_ride", ride_id=str(ride_id), final_fare=str(ride.final_fare))
    await refresh_driver(deps, driver_id=principal.user_id)
    return RideView.of(ride)


async def _accept(request: Request, ride_id: UUID, *, principal: Principal, key: str, deps: Deps) -> Response:
    async def work(tx: Any) -> RideView | RideNotAvailable:
        now = deps.now()
        outcome = await accept_ride(
            tx, ride_id=ride_id, driver_id=principal.user_id, idempotency_key=key, now=now
        )
        if isinstance(outcome, RideNotAvailable):
            ACCEPTS_LOST.inc()
            return outcome
        if outcome.accepted_at == now:
            tx.after_commit(lambda: _after_accept(deps, outcome))
        return RideView.of(outcome)

    return await web.idempotent(
        request,
        transaction=deps.transaction,
        principal=principal,
        operation="accept_ride",
        key=key,
        work=work,
        status=200,
        body_counts=False,
    )


async def _after_accept(deps: Deps, ride: Ride) -> None:
    assert ride.accepted_at is not None
    RIDES_ACCEPTED.inc()
    TIME_TO_MATCH.observe((ride.accepted_at - ride.created_at).total_seconds())
    log.info("accept_ride", ride_id=str(ride.id))
    await refresh_driver(deps, driver_id=ride.driver())


def _one_key(header_key: str | None, body: AcceptRequest | None) -> str:
    """The header's key or the body's: one is needed, and two must agree."""
    body_key = web.clean_key(body.idempotency_key) if body and body.idempotency_key else None
    if header_key and body_key and header_key != body_key:
        raise Invalid(
            errors=[FieldError(pointer="/idempotency_key", code="idempotency_keys_differ", detail="")]
        )
    key = header_key or body_key
    if key is None:
        raise web.IdempotencyKeyRequired
    return key
