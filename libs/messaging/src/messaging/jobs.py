"""Jobs on a schedule: each is run by one process of the service at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import asyncpg

from messaging.direct import close_directly, connect_directly
from messaging.metrics import JOB_DURATION, JOB_RUNS
from storage import DatabaseSettings
from telemetry import get_logger, tracing

log = get_logger(__name__)

LOCK_SPACE: Final = 0x1B0B


@dataclass(frozen=True, slots=True)
class Schedule:
    """Run every `every_s` seconds, from the start of the worker on; `exclusive`: in one process at a time."""

    name: str
    every_s: float
    exclusive: bool = True


class JobLocks:
    """Session advisory locks on one connection of their own; a lost connection loses its locks."""

    def __init__(self, settings: DatabaseSettings, *, service: str) -> None:
        self._settings = settings
        self._service = service
        self._connection: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def holding(self, name: str) -> AsyncIterator[bool]:
        """True inside the block while this process holds `name`; False when another does."""
        number = _lock_number(name)
        held = await self._call("SELECT pg_try_advisory_lock($1, $2)", number)
        try:
            yield held
        finally:
            if held:
                await self._call("SELECT pg_advisory_unlock($1, $2)", number)

    async def close(self) -> None:
        await close_directly(self._connection)

    async def _call(self, statement: str, number: int) -> bool:
        async with self._one_at_a_time:
            if self._connection is None or self._connection.is_closed():
                name = f"ibora-{self._service}-jobs"
                self._connection = await connect_directly(self._settings, application=name)
            return bool(await self._connection.fetchval(statement, LOCK_SPACE, number))


class Job:
    """One job and its schedule."""

    def __init__(
        self, schedule: Schedule, work: Callable[[], Awaitable[None]], *, locks: JobLocks | None
    ) -> None:
        self._schedule = schedule
        self._work = work
        self._locks = locks
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`; a run that fails is logged, and the next one comes at its time."""
        while not self._stopping.is_set():
            started = time.monotonic()
            await self._tick()
            await self._rest(self._schedule.every_s - (time.monotonic() - started))

    def stop(self) -> None:
        """The run at hand may end; no other begins."""
        self._stopping.set()

    async def _tick(self) -> None:
        name = self._schedule.name
        try:
            if self._locks is None or not self._schedule.exclusive:
                outcome = await self._timed()
            else:
                async with self._locks.holding(name) as held:
                    outcome = await self._timed() if held else "elsewhere"
        except Exception as error:  # one failed run must not end the schedule
            outcome = "failed"
            log.exception("job_failed", job=name, error_type=type(error).__name__)
        JOB_RUNS.labels(job=name, outcome=outcome).inc()

    async def _timed(self) -> str:
        with JOB_DURATION.labels(job=self._schedule.name).time(), tracing.span(f"job {self._schedule.name}"):
            await self._work()
        return "done"

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._stopping.wait()
        except TimeoutError:
            return


def _lock_number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big", signed=True)
