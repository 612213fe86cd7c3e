"""A driver's desk: on and off duty, where they are, what they are offered."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends

import web
from kernel.refusals import NotFound, NotYetKnown
from ride_dispatch.api.deps import DepsDep, OwnDesk, give_time_to_be_known
from ride_dispatch.api.views import (
    AcceptedPoints,
    Availability,
    AvailabilityRequest,
    OfferView,
    PointRequest,
    PointsRequest,
)
from ride_dispatch.domain.driver import AccountNotActive, DriverNotApproved
from ride_dispatch.effects.record_location import record_location
from ride_dispatch.effects.refresh_driver import refresh_driver
from ride_dispatch.ports import OpenOffer
from ride_dispatch.usecases.list_offers import list_offers
from ride_dispatch.usecases.set_availability import set_availability
from telemetry import get_logger
from web import Cursor, Limit

log = get_logger(__name__)
router = APIRouter(tags=["drivers"], dependencies=[Depends(web.requires("driver"))])


@router.put(
    "/drivers/{driver_id}/availability",
    operation_id="set_availability",
    response_model=Availability,
    responses=web.errors(NotFound, NotYetKnown, DriverNotApproved, AccountNotActive),
)
async def put_availability(
    driver_id: UUID, body: AvailabilityRequest, own: OwnDesk, deps: DepsDep
) -> Availability:
    """Go on or off duty. Going off withdraws open offers; a trip goes on to its end."""
    if body.online:
        await give_time_to_be_known(deps, own)
    async with deps.transaction() as tx:
        state = await set_availability(tx, driver_id=own, online=body.online, now=deps.now())
    log.info("set_availability", online=state.online)
    await refresh_driver(deps, driver_id=own)
    deps.nudge()
    return Availability.of(state)


@router.post(
    "/drivers/{driver_id}/location",
    operation_id="record_location",
    status_code=202,
    response_model=AcceptedPoints,
    responses=web.errors(NotFound),
)
async def post_location(
    driver_id: UUID, body: PointRequest | PointsRequest, own: OwnDesk, deps: DepsDep
) -> AcceptedPoints:
    """One point, or the `points` of a while without a signal; what is not believable is dropped."""
    requests = body.points if isinstance(body, PointsRequest) else [body]
    now = deps.now()
    points = [request.point(now=now) for request in requests]
    return AcceptedPoints(accepted=await record_location(deps, driver_id=own, points=points))


@router.get(
    "/drivers/{driver_id}/offers",
    operation_id="list_offers",
    response_model=web.Page[OfferView],
    responses=web.errors(NotFound),
)
async def get_offers(
    driver_id: UUID, own: OwnDesk, limit: Limit, cursor: Cursor, deps: DepsDep
) -> dict[str, Any]:
    """The offers that the driver may still answer, newest first."""
    after = web.decode_cursor(cursor)
    async with deps.transaction() as tx:
        found = await list_offers(
            tx,
            driver_id=own,
            after=(after[0], after[1]) if after else None,
            limit=limit + 1,
            now=deps.now(),
        )
    return web.page(found, limit=limit, cursor_of=_cursor_of, view=OfferView.of)


def _cursor_of(found: OpenOffer) -> tuple[Any, ...]:
    return (found.offer.offered_at, found.offer.id)
