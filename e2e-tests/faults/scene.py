"""What a fault works with: the stack's processes, its databases, its bank."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic
from urllib.request import urlopen

import asyncpg

from faults.town import Town
from simulator.stack import Stack

RESTART_S = 90.0
WAITING_SQL = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`random` is the campaign's: equal seeds choose equal faults."""

    folder: Path
    town: Town
    random: Random

    @property
    def stack(self) -> Stack:
        return Stack.load(self.folder / "stack.json")

    async def kill(self, name: str, *, with_signal: int = signal.SIGKILL) -> None:
        """End a process of the stack, and wait until the supervisor has started another that serves."""
        pid = self.stack.pids[name]
        os.kill(pid, with_signal)
        await until(lambda: self._replaced(name, pid), what=f"a new {name}")
        await self.recovered()

    async def recovered(self) -> None:
        """Wait until every service says that it is ready and healthy."""
        for name, url in self.stack.services.items():
            for path in ("ready", "health"):
                await until(partial(_answers_200, f"{url}/{path}"), what=f"{name} to answer /{path}")

    async def caught(self, service: str, table: str) -> None:
        """Kill a service while a transaction of its own waits to write to `table`: in the very act."""
        async with self.locked(service, table):
            await self.kill_only(service)
        await self.recovered()

    async def kill_only(self, service: str) -> None:
        """SIGKILL, without waiting for the successor."""
        pid = self.stack.pids[service]
        os.kill(pid, signal.SIGKILL)
        await until(lambda: self._replaced(service, pid), what=f"a new {service}")

    @asynccontextmanager
    async def locked(self, service: str, table: str) -> AsyncIterator[None]:
        """`table` can be read and not written, and somebody of the service waits to write to it."""
        connection = await asyncpg.connect(self.stack.database(service))
        try:
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
                await until(lambda: _somebody_waits(connection, table), what=f"a writer of {table}")
                yield
        finally:
            await connection.close()

    async def _replaced(self, name: str, pid: int) -> bool:
        return self.stack.pids.get(name, pid) != pid


async def until(condition: Callable[[], Awaitable[bool]], *, what: str, timeout_s: float = RESTART_S) -> None:
    """Poll a condition."""
    deadline = monotonic() + timeout_s
    while not await condition():
        assert monotonic() < deadline, f"waited {timeout_s:.0f} s for {what}"
        await asyncio.sleep(0.05)


async def _somebody_waits(connection: asyncpg.Connection, table: str) -> bool:
    return bool(await connection.fetchval(WAITING_SQL, table))


async def _answers_200(url: str) -> bool:
    def ask() -> bool:
        try:
            with urlopen(url, timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    return await asyncio.to_thread(ask)
