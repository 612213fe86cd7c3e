"""A ride as its passenger asks for it, and as both sides read, cancel and rate it."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

import web
from contracts.ride_dispatch import CanceledBy, RideStatus
from kernel.ids import new_id
from kernel.refusals import NotFound, NotYetKnown
from ride_dispatch.api.deps import DepsDep, Party, require_known
from ride_dispatch.api.views import (
    CancelRequest,
    QuoteRequest,
    Quotes,
    RatingRequest,
    RatingView,
    RideRequest,
    RideView,
)
from ride_dispatch.domain.driver import AccountNotActive
from ride_dispatch.domain.quote import QuoteExpired, QuoteMismatch
from ride_dispatch.domain.rating import AlreadyRated, RideNotRatable
from ride_dispatch.domain.ride import ActiveRideExists, IllegalTransition, Ride, UnpaidRideExists
from ride_dispatch.effects.refresh_driver import refresh_driver
from ride_dispatch.metrics import REASSIGNED, RIDES_CANCELED, RIDES_CREATED
from ride_dispatch.ports import Deps
from ride_dispatch.usecases.cancel_ride import cancel_ride
from ride_dispatch.usecases.list_active_rides import list_active_rides
from ride_dispatch.usecases.list_ride_history import list_ride_history
from ride_dispatch.usecases.quote_ride import quote_ride
from ride_dispatch.usecases.rate_ride import rate_ride
from ride_dispatch.usecases.read_ride import read_ride
from ride_dispatch.usecases.request_ride import request_ride
from telemetry import get_logger
from web import AnyUser, Cursor, IdempotencyKey, Limit, PassengerOnly

log = get_logger(__name__)
router = APIRouter(tags=["rides"])


@router.post("/rides/quote", operation_id="quote_ride", response_model=Quotes)
async def post_quote(body: QuoteRequest, principal: PassengerOnly, deps: DepsDep) -> Quotes:
    """Price a trip in every category; each price holds for a few minutes."""
    async with deps.transaction() as tx:
        quotes = await quote_ride(
            tx,
            passenger_id=principal.user_id,
            pickup=body.pickup(),
            dropoff=body.dropoff(),
            first=body.category,
            tariffs=deps.tariffs,
            ttl_s=deps.quote_ttl_s,
            now=deps.now(),
        )
    return Quotes.of(quotes)


@router.post(
    "/rides",
    operation_id="request_ride",
    status_code=201,
    response_model=RideView,
    responses=web.errors(
        ActiveRideExists, UnpaidRideExists, QuoteExpired, QuoteMismatch, AccountNotActive, NotYetKnown
    ),
)
async def post_ride(
    request: Request, body: RideRequest, principal: PassengerOnly, key: IdempotencyKey, deps: DepsDep
) -> Response:
    """Ask for a ride; the search for a driver begins at once."""
    await require_known(deps, principal.user_id)

    async def work(tx: Any) -> RideView:
        ride = await request_ride(
            tx,
            id_=new_id(),
            passenger_id=principal.user_id,
            category=body.category,
            pickup=body.pickup(),
            dropoff=body.dropoff(),
            quote_id=body.quote_id,
            tariffs=deps.tariffs,
            policy=deps.search,
            now=deps.now(),
            unpaid_blocks=deps.unpaid_ride_blocks,
        )

        async def tell() -> None:
            RIDES_CREATED.labels(category=ride.category).inc()
            log.info("request_ride", ride_id=str(ride.id))
            deps.nudge()

        tx.after_commit(tell)
        return RideView.of(ride)

    return await web.idempotent(
        request,
        transaction=deps.transaction,
        principal=principal,
        operation="request_ride",
        key=key,
        work=work,
    )


@router.get("/rides/active", operation_id="list_active_rides", response_model=web.Page[RideView])
async def get_active(principal: AnyUser, deps: DepsDep) -> dict[str, Any]:
    """The caller's rides that are not over, as passenger or driver."""
    async with deps.transaction() as tx:
        rides = await list_active_rides(tx, user_id=principal.user_id)
    return web.page(rides, limit=max(len(rides), 1), cursor_of=_cursor_of, view=RideView.of)


@router.get("/rides/history", operation_id="list_ride_history", response_model=web.Page[RideView])
async def get_history(principal: AnyUser, limit: Limit, cursor: Cursor, deps: DepsDep) -> dict[str, Any]:
    """The caller's rides that are over, newest first."""
    after = web.decode_cursor(cursor)
    async with deps.reading() as tx:
        rides = await list_ride_history(
            tx, user_id=principal.user_id, after=(after[0], after[1]) if after else None, limit=limit + 1
        )
    return web.page(rides, limit=limit, cursor_of=_cursor_of, view=RideView.of)


@router.get(
    "/rides/{ride_id}", operation_id="read_ride", response_model=RideView, responses=web.errors(NotFound)
)
async def get_ride(ride_id: UUID, principal: AnyUser, deps: DepsDep) -> RideView:
    """A ride, for its passenger, its driver and admins."""
    async with deps.transaction() as tx:
        ride = await read_ride(
            tx, ride_id=ride_id, user_id=principal.user_id, is_admin=principal.user_type == "admin"
        )
    return RideView.of(ride)


@router.post(
    "/rides/{ride_id}/cancel",
    operation_id="cancel_ride",
    response_model=RideView,
    responses=web.errors(NotFound, IllegalTransition),
    dependencies=[Depends(web.requires("passenger", "driver"))],
)
async def post_cancel(
    request: Request, ride_id: UUID, body: CancelRequest, principal: Party, deps: DepsDep
) -> RideView:
    """Cancel before the start. A driver who gives up sends the ride to another driver."""
    async with deps.transaction() as tx:
        before = await read_ride(tx, ride_id=ride_id, user_id=principal.user_id, is_admin=False)
        ride = await cancel_ride(
            tx,
            ride_id=ride_id,
            by=CanceledBy(principal.user_type),
            actor=web.actor(request, principal),
            reason=body.reason,
            comment=body.comment,
            policy=deps.search,
            now=deps.now(),
        )
    await _after_cancel(deps, before=before, after=ride, body=body)
    return RideView.of(ride)


@router.post(
    "/rides/{ride_id}/rating",
    operation_id="rate_ride",
    status_code=201,
    response_model=RatingView,
    responses=web.errors(NotFound, RideNotRatable, AlreadyRated),
    dependencies=[Depends(web.requires("passenger", "driver"))],
)
async def post_rating(ride_id: UUID, body: RatingRequest, principal: Party, deps: DepsDep) -> RatingView:
    """Rate the other side of a finished ride, once."""
    async with deps.transaction() as tx:
        rating = await rate_ride(
            tx,
            ride_id=ride_id,
            rater_id=principal.user_id,
            stars=body.stars,
            tags=body.tags,
            comment=body.comment,
            now=deps.now(),
        )
    return RatingView.of(rating)


async def _after_cancel(deps: Deps, *, before: Ride, after: Ride, body: CancelRequest) -> None:
    counter = RIDES_CANCELED if after.status is RideStatus.CANCELED else REASSIGNED
    counter.labels(reason=body.reason).inc()
    log.info("cancel_ride", ride_id=str(after.id), reason=body.reason, status=after.status)
    if before.driver_id is not None:
        await refresh_driver(deps, driver_id=before.driver_id)
    deps.nudge()


def _cursor_of(ride: Ride) -> tuple[Any, ...]:
    return (ride.created_at, ride.id)
