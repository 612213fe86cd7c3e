"""Jobs on a schedule: each is run by one process of the service at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import asyncpg

from messaging.direct import close_directly, connect_directly
from messaging.metrics import JOB_DURATION, JOB_RUNS
from messaging.tracing import looking
from messaging.wake import as_job, job_waker, nudge_jobs
from storage import DatabaseSettings
from telemetry import get_logger

log = get_logger(__name__)

LOCK_SPACE: Final = 0x1B0B
CHECK_S: Final = 1.0
STANDBY_S: Final = 0.5
GATHER_S: Final = 0.1

Work = Callable[[], Awaitable[object]]
"""A job. One that answers a number says how much it found to do; 0 is a look in vain."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Run every `every_s` seconds, from the start of the worker on; `exclusive`: in one process at a time.

    `wake_on_commit`: also run as soon as this process has committed anything (jobs aside), and again at once
    while there was something to do, but never more often than every 0.1 s. `every_s` is then how late work is
    seen that another process committed, or that falls due by the clock.
    """

    name: str
    every_s: float
    exclusive: bool = True
    wake_on_commit: bool = False


class JobLocks:
    """Session advisory locks on one connection of their own; a lost connection loses its locks.

    A lock once taken is kept from run to run. Postgres lets go of a connection that fell silent after 10 s at
    the earliest; we ask whether ours still stands after one.
    """

    def __init__(self, settings: DatabaseSettings, *, service: str) -> None:
        self._settings = settings
        self._service = service
        self._connection: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()
        self._held: set[str] = set()
        self._checked_at = 0.0

    async def hold(self, name: str) -> bool:
        """Whether this process holds `name` now; False while another does."""
        async with self._one_at_a_time:
            try:
                return await self._hold(name)
            except BaseException:
                await self._forget()  # whatever it was: only a new connection knows what it holds
                raise

    async def release(self, name: str) -> None:
        """Let another process have it."""
        async with self._one_at_a_time:
            if name in self._held and self._connection is not None:
                self._held.discard(name)
                try:
                    await self._connection.execute("SELECT pg_advisory_unlock($1, $2)", *_lock(name))
                except Exception:  # closed, it holds nothing any more  # noqa: BLE001
                    await self._forget()

    async def close(self) -> None:
        """Let go of everything."""
        await self._forget()

    async def _hold(self, name: str) -> bool:
        if self._connection is None or self._connection.is_closed():
            await self._forget()
            application = f"ibora-{self._service}-jobs"
            self._connection = await connect_directly(self._settings, application=application)
        if name not in self._held:
            if not await self._connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", *_lock(name)):
                return False
            self._held.add(name)
        elif time.monotonic() - self._checked_at >= CHECK_S:
            await self._connection.fetchval("SELECT 1")
            self._checked_at = time.monotonic()
        return True

    async def _forget(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        await close_directly(connection)


class Job:
    """One job and its schedule."""

    def __init__(self, schedule: Schedule, work: Work, *, locks: JobLocks | None) -> None:
        self._schedule = schedule
        self._work = work
        self._locks = locks if schedule.exclusive else None
        self._stopping = False
        self._wake = job_waker() if schedule.wake_on_commit else asyncio.Event()

    async def run(self) -> None:
        """Until `stop`; a run that fails is logged, and the next one comes at its time."""
        while not self._stopping:
            started = time.monotonic()
            self._wake.clear()
            outcome = await self._tick()
            await self._rest(started, outcome)

    def stop(self) -> None:
        """The run at hand may end; no other begins."""
        self._stopping = True
        self._wake.set()

    async def _tick(self) -> str:
        name = self._schedule.name
        try:
            held = self._locks is None or await self._locks.hold(name)
            outcome = await self._timed() if held else "elsewhere"
        except Exception as error:  # one failed run must not end the schedule
            outcome = "failed"
            log.exception("job_failed", job=name, error_type=type(error).__name__)
            await self._let_another_try()
        JOB_RUNS.labels(job=name, outcome=outcome).inc()
        return outcome

    async def _timed(self) -> str:
        name = self._schedule.name
        with JOB_DURATION.labels(job=name).time(), as_job(), looking(f"job {name}") as look:
            found = await self._work()
            look.in_vain = found == 0
        if found:
            nudge_jobs()  # more may wait behind it, and what was done may be what another job waits for
        return "idle" if look.in_vain else "done"

    async def _let_another_try(self) -> None:
        if self._locks is not None:
            await self._locks.release(self._schedule.name)

    async def _rest(self, started: float, outcome: str) -> None:
        every_s = self._schedule.every_s
        if outcome == "elsewhere":
            every_s = max(every_s, STANDBY_S)
        await self._sleep(started + every_s - time.monotonic())
        if self._schedule.wake_on_commit and not self._stopping:
            await asyncio.sleep(max(0.0, started + min(every_s, GATHER_S) - time.monotonic()))

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._wake.wait()
        except TimeoutError:
            return


def _lock(name: str) -> tuple[int, int]:
    digest = blake2b(name.encode(), digest_size=4).digest()
    return LOCK_SPACE, int.from_bytes(digest, "big", signed=True)
