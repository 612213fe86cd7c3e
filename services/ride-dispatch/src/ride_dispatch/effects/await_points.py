import asyncio
from datetime import datetime
from typing import Final
from uuid import UUID

from contracts.ride_dispatch import RideStatus
from ride_dispatch.ports import Deps

PATIENCE_S: Final = 0.5
PAUSE_S: Final = 0.02


async def await_points(deps: Deps, *, ride_id: UUID, driver_id: UUID) -> bool:
    """Give the ride's last points up to half a second to reach the history, before its fare is read from it.

    True when they are there, or none are expected: only this process's own last ping is known to be on its
    way.
    """
    last = await _last_ping(deps, ride_id=ride_id, driver_id=driver_id)
    if last is None:
        return True
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while not await _arrived(deps, ride_id=ride_id, last=last):
        if loop.time() > deadline:
            return False
        await asyncio.sleep(PAUSE_S)
    return True


async def _last_ping(deps: Deps, *, ride_id: UUID, driver_id: UUID) -> datetime | None:
    trail = deps.trails.trail_of(driver_id)
    if trail is None or trail.anchor is None:
        return None
    async with deps.transaction() as tx:
        ride = await tx.rides.get(ride_id)
    on_ride = ride is not None and ride.driver_id == driver_id and ride.status is RideStatus.IN_PROGRESS
    if not on_ride or trail.anchor.recorded_at < ride.started_at:
        return None
    return trail.anchor.recorded_at


async def _arrived(deps: Deps, *, ride_id: UUID, last: datetime) -> bool:
    async with deps.transaction() as tx:
        recorded = await tx.locations.last_of_ride(ride_id)
    return recorded is not None and recorded >= last
