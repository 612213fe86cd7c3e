from collections.abc import Sequence
from uuid import UUID

from contracts.ride_dispatch import DriverLocationUpdated
from ride_dispatch.domain.location import Point, Trail, admit
from ride_dispatch.metrics import POINTS_DROPPED, POINTS_RECEIVED
from ride_dispatch.ports import Deps, Duty


async def record_location(deps: Deps, *, driver_id: UUID, points: Sequence[Point]) -> int:
    """Take a driver's points: the gate, the index, the lossy topic. Returns how many were believed.

    No commit per ping: the last position is written by the next flush, the history by the topic's consumer.
    """
    now = deps.now()
    async with deps.transaction() as tx:
        duty = await tx.drivers.duty(driver_id)
    admitted = admit(points, trail=_trail(deps, driver_id, duty=duty), policy=deps.points, now=now)
    for drop, count in admitted.dropped.items():
        POINTS_DROPPED.labels(reason=drop).inc(count)
    deps.trails.keep(driver_id, trail=admitted.trail)
    if not admitted.points:
        return 0
    POINTS_RECEIVED.inc(len(admitted.points))
    await deps.index.place(driver_id, point=admitted.points[-1], category=duty.category)
    for point in admitted.points:
        deps.beacon.send(_located(driver_id, point, duty=duty))
    return len(admitted.points)


def _trail(deps: Deps, driver_id: UUID, *, duty: Duty) -> Trail:
    """What this process heard last, or Postgres when another process heard something newer."""
    heard = deps.trails.trail_of(driver_id)
    if heard is None or heard.anchor is None:
        return Trail(anchor=duty.located)
    if duty.located is not None and duty.located.recorded_at > heard.anchor.recorded_at:
        return Trail(anchor=duty.located)
    return heard


def _located(driver_id: UUID, point: Point, *, duty: Duty) -> DriverLocationUpdated:
    """Stamped with the ride only while there is one: a passenger sees nothing from before the accept."""
    on_ride = duty.accepted_at is not None and point.recorded_at >= duty.accepted_at
    return DriverLocationUpdated(
        driver_id=driver_id,
        lat=point.place.lat,
        lon=point.place.lon,
        accuracy_m=point.accuracy_m,
        heading_deg=point.heading_deg,
        speed_mps=point.speed_mps,
        recorded_at=point.recorded_at,
        ride_id=duty.ride_id if on_ride else None,
        passenger_id=duty.passenger_id if on_ride else None,
    )
