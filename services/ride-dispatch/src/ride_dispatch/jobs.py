"""What ride-dispatch does by the clock."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from messaging import Schedule
from ride_dispatch.effects.rebuild_index import rebuild_index
from ride_dispatch.metrics import (
    ACTIVE_RIDES,
    DRIVERS_AVAILABLE,
    DRIVERS_ONLINE,
    NO_DRIVER_FOUND,
    OFFERS_EXPIRED,
    OPEN_RIDES,
)
from ride_dispatch.ports import Deps
from ride_dispatch.usecases.count_activity import count_activity
from ride_dispatch.usecases.end_search import end_search
from ride_dispatch.usecases.expire_offers import expire_offers
from ride_dispatch.usecases.keep_partitions import keep_partitions
from ride_dispatch.usecases.purge_records import purge_records
from ride_dispatch.usecases.retire_drivers import retire_drivers
from telemetry import get_logger

log = get_logger(__name__)

BATCH: Final = 200
STOP_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeping:
    """How long things are kept (days) and how long a driver may be silent (seconds)."""

    location_retention_days: int = 30
    partitions_ahead_days: int = 7
    idempotency_retention_days: int = 7
    silent_s: float = 900.0


class Bell:
    """Wakes a loop before its time; rung from anywhere in the process."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, *, timeout_s: float) -> None:
        """Until it rings, or `timeout_s` has passed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), timeout_s)
        self._rung.clear()


class Loop:
    """Runs `work` again and again in the background; a failure is logged and waits for the next turn."""

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        *,
        every_s: float,
        bell: Bell | None = None,
        once_more: bool = False,
    ) -> None:
        self._name = name
        self._work = work
        self._every_s = every_s
        self._bell = bell or Bell()
        self._once_more = once_more
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Stop between two turns where possible; with `once_more`, do the work a last time."""
        self._stopping = True
        self._bell.ring()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_TIMEOUT_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._once_more:
            await self._turn()

    def unhealthy(self) -> str | None:
        if self._task is not None and self._task.done() and not self._stopping:
            return f"{self._name} has stopped"
        return None

    async def _run(self) -> None:
        while not self._stopping:
            await self._turn()
            await self._bell.wait(timeout_s=self._every_s)

    async def _turn(self) -> None:
        try:
            await self._work()
        except Exception:
            log.exception("loop_turn_failed", loop=self._name)


async def expire_due_offers(deps: Deps) -> int:
    """End what is over; a ride whose offers are all gone goes on searching at once. How many rides."""
    async with deps.transaction() as tx:
        due = await tx.offers.rides_with_due(now=deps.now(), limit=BATCH)
    for ride_id in due:
        async with deps.transaction() as tx:
            OFFERS_EXPIRED.inc(await expire_offers(tx, ride_id=ride_id, now=deps.now()))
    if due:
        deps.nudge()
    return len(due)


async def end_due_searches(deps: Deps) -> int:
    async with deps.transaction() as tx:
        due = await tx.rides.due_for_end(now=deps.now(), limit=BATCH)
    for ride_id in due:
        async with deps.transaction() as tx:
            ended = await end_search(tx, ride_id=ride_id, now=deps.now())
        if ended is not None:
            NO_DRIVER_FOUND.inc()
            log.info("end_search", ride_id=str(ride_id))
    return len(due)


async def refresh_gauges(deps: Deps) -> None:
    async with deps.transaction() as tx:
        activity = await count_activity(tx)
    for status, count in activity.rides_by_status.items():
        OPEN_RIDES.labels(status=status).set(count)
    ACTIVE_RIDES.set(sum(activity.rides_by_status.values()))
    DRIVERS_ONLINE.set(activity.drivers_online)
    DRIVERS_AVAILABLE.set(activity.drivers_available)


async def retire_silent_drivers(deps: Deps, keeping: Housekeeping) -> None:
    async with deps.transaction() as tx:
        retired = await retire_drivers(tx, silent_s=keeping.silent_s, limit=BATCH, now=deps.now())
    for driver_id in retired:
        await deps.index.refresh(driver_id, category=None, fallback=None)


async def keep_location_partitions(deps: Deps, keeping: Housekeeping) -> None:
    async with deps.transaction() as tx:
        await keep_partitions(
            tx,
            ahead_days=keeping.partitions_ahead_days,
            retention_days=keeping.location_retention_days,
            now=deps.now(),
        )


async def purge_old_records(deps: Deps, keeping: Housekeeping) -> None:
    before = deps.now() - timedelta(days=keeping.idempotency_retention_days)
    async with deps.transaction() as tx:
        await purge_records(tx, before=before)


async def fill_index(deps: Deps) -> None:
    await rebuild_index(deps)


# The first two lock rides with SKIP LOCKED, so every worker may run them at once.
JOBS: Final[Mapping[Schedule, Callable[[Deps], Awaitable[object]]]] = {
    Schedule(name="expire_offers", every_s=0.25, exclusive=False): expire_due_offers,
    Schedule(name="end_search", every_s=0.5, exclusive=False): end_due_searches,
    Schedule(name="rebuild_index", every_s=30.0): fill_index,
}

HOUSEKEEPING: Final[Mapping[Schedule, Callable[[Deps, Housekeeping], Awaitable[None]]]] = {
    Schedule(name="retire_drivers", every_s=30.0): retire_silent_drivers,
    Schedule(name="keep_partitions", every_s=3600.0): keep_location_partitions,
    Schedule(name="purge_records", every_s=600.0): purge_old_records,
}


def timetable(deps: Deps, keeping: Housekeeping) -> Mapping[Schedule, Callable[[], Awaitable[object]]]:
    """JOBS and HOUSEKEEPING bound to `deps`."""
    bound: dict[Schedule, Callable[[], Awaitable[object]]] = {
        schedule: partial(job, deps) for schedule, job in JOBS.items()
    }
    return bound | {schedule: partial(job, deps, keeping) for schedule, job in HOUSEKEEPING.items()}
