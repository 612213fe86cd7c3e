from collections.abc import Sequence
from datetime import timedelta

from contracts.identity import VehicleCategory
from ride_dispatch.domain.matching import Near
from ride_dispatch.domain.place import Place, distance_m
from ride_dispatch.effects.rebuild_index import rebuild_index
from ride_dispatch.metrics import INDEX_FALLBACKS
from ride_dispatch.ports import Deps


async def find_drivers(
    deps: Deps, *, category: VehicleCategory, place: Place, radius_m: int, limit: int
) -> Sequence[Near]:
    """Drivers near a place, nearest first: from the index, filled first when it was flushed; from Postgres
    when Valkey is away."""
    now = deps.now()
    found = await deps.index.near(category=category, place=place, radius_m=radius_m, limit=limit, now=now)
    if found is None and await deps.index.awake() and await rebuild_index(deps):
        found = await deps.index.near(category=category, place=place, radius_m=radius_m, limit=limit, now=now)
    if found is not None:
        return found
    INDEX_FALLBACKS.inc()
    return await _from_postgres(deps, category=category, place=place, radius_m=radius_m, limit=limit)


async def _from_postgres(
    deps: Deps, *, category: VehicleCategory, place: Place, radius_m: int, limit: int
) -> Sequence[Near]:
    since = deps.now() - timedelta(seconds=deps.search.fresh_s)
    async with deps.transaction() as tx:
        drivers = await tx.drivers.near(category=category, place=place, radius_m=radius_m, since=since)
    nearby = [
        Near(driver_id=driver.driver_id, distance_m=round(distance_m(place, driver.place)))
        for driver in drivers
    ]
    within = sorted(
        (near for near in nearby if near.distance_m <= radius_m), key=lambda near: near.distance_m
    )
    return within[:limit]
