from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from ride_dispatch.domain.matching import Near, short
from ride_dispatch.domain.ride import SEARCHED, Ride
from ride_dispatch.domain.search import wider
from ride_dispatch.effects.find_drivers import find_drivers
from ride_dispatch.metrics import CANDIDATES_DROPPED, OFFERS_SENT, TIME_TO_FIRST_OFFER, WAVES_EMPTY
from ride_dispatch.ports import Deps
from ride_dispatch.usecases.offer_ride import Wave, offer_ride

SEARCH_FACTOR = 4
"""How many times a wave's size is looked at: some of those nearby are on other offers."""


async def dispatch_ride(deps: Deps, *, ride_id: UUID) -> Wave | None:
    """One wave of a ride: find who is near, outside any transaction, then offer. None when none was due."""
    now = deps.now()
    async with deps.transaction() as tx:
        ride = await tx.rides.get(ride_id)
        offers = await tx.offers.of_ride(ride_id)
    if ride is None or ride.status not in SEARCHED or not ride.search.due(deps.search, now=now):
        return None
    barred = {offer.driver_id for offer in offers if offer.bars(try_no=ride.search.try_no)}
    nearby, radius_m = await _pool(deps, ride=ride, barred=barred)
    async with deps.transaction() as tx:
        wave = await offer_ride(
            tx, ride_id=ride_id, nearby=nearby, radius_m=radius_m, policy=deps.search, now=now
        )
    if wave is not None:
        _count(wave, ride=ride, now=now)
        for driver_id in wave.gone:
            await deps.index.refresh(driver_id, category=None, fallback=None)
    return wave


async def _pool(deps: Deps, *, ride: Ride, barred: Collection[UUID]) -> tuple[Sequence[Near], int]:
    """Widen the circle until a wave can be filled, up to the widest."""
    radius_m = ride.search.radius_m
    limit = deps.search.wave_size * SEARCH_FACTOR + len(barred)
    while True:
        nearby = await find_drivers(
            deps, category=ride.category, place=ride.pickup, radius_m=radius_m, limit=limit
        )
        further_m = wider(deps.search, radius_m=radius_m)
        if further_m is None or not short(nearby, barred=barred, policy=deps.search):
            return nearby, radius_m
        radius_m = further_m


def _count(wave: Wave, *, ride: Ride, now: datetime) -> None:
    for gate, count in wave.dropped.items():
        CANDIDATES_DROPPED.labels(gate=gate).inc(count)
    OFFERS_SENT.inc(wave.offered)
    if not wave.offered:
        WAVES_EMPTY.inc()
    elif ride.search.wave == 0:
        TIME_TO_FIRST_OFFER.observe((now - ride.created_at).total_seconds())
