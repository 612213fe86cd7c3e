import asyncio
from uuid import UUID

from ride_dispatch.effects.dispatch_ride import dispatch_ride
from ride_dispatch.ports import Deps
from telemetry import get_logger

log = get_logger(__name__)

BATCH = 100
AT_ONCE = 3
"""Few, so that a burst of requests leaves connections for the accepts that it provokes."""


async def dispatch_due(deps: Deps) -> int:
    """Send the waves that are due; returns how many rides were looked at. Any number of processes may run it:
    each ride is locked with SKIP LOCKED. One ride's failure is logged, and the next look tries again."""
    async with deps.transaction() as tx:
        due = await tx.rides.due_for_wave(now=deps.now(), limit=BATCH)
    gate = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_dispatch(deps, ride_id, gate=gate) for ride_id in due))
    return len(due)


async def _dispatch(deps: Deps, ride_id: UUID, *, gate: asyncio.Semaphore) -> None:
    async with gate:
        try:
            wave = await dispatch_ride(deps, ride_id=ride_id)
        except Exception:
            log.exception("dispatch_ride_failed", ride_id=str(ride_id))
            return
    if wave is not None and wave.offered:
        log.info("offer_ride", ride_id=str(ride_id), offered=wave.offered)
