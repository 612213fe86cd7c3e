"""What a fault works with: the stack's processes, its databases, its bank."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
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
CATCH_S = 1.0
WAITING_SQL = """
SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND l.relation = $1::regclass AND position($2 IN a.query) > 0
"""


class NothingWaits(AssertionError):
    """Nobody wanted to write to a locked table in time."""


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

    async def caught_after_the_ack(self, service: str) -> None:
        """Kill a service whose relay has Kafka's word for some rows and waits to delete them.

        Everybody who wants to tell something waits meanwhile, so the table is given back soon when there was
        nothing to publish at that moment, and locked again.
        """
        for _ in range(int(RESTART_S / CATCH_S)):
            with suppress(NothingWaits):
                async with self.locked(service, "outbox", doing="DELETE FROM outbox", timeout_s=CATCH_S):
                    await self.kill_only(service)
                await self.recovered()
                return
            await asyncio.sleep(0.2)  # those who waited come first
        raise AssertionError(f"{service} published nothing in {RESTART_S:.0f} s")

    async def kill_only(self, service: str) -> None:
        """SIGKILL, without waiting for the successor."""
        pid = self.stack.pids[service]
        os.kill(pid, signal.SIGKILL)
        await until(lambda: self._replaced(service, pid), what=f"a new {service}")

    @asynccontextmanager
    async def locked(
        self, service: str, table: str, *, doing: str = "", timeout_s: float = RESTART_S
    ) -> AsyncIterator[None]:
        """`table` can be read and not written, and a statement of the service that has `doing` in it waits.

        Raises NothingWaits, an AssertionError, when none does within `timeout_s`.
        """
        connection = await asyncpg.connect(self.stack.database(service))
        try:
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
                try:
                    waits = partial(_somebody_waits, connection, table, doing)
                    await until(waits, what=f"a writer of {table}", timeout_s=timeout_s)
                except AssertionError as error:
                    raise NothingWaits(*error.args) from error
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


async def _somebody_waits(connection: asyncpg.Connection, table: str, doing: str) -> bool:
    return bool(await connection.fetchval(WAITING_SQL, table, doing))


async def _answers_200(url: str) -> bool:
    def ask() -> bool:
        try:
            with urlopen(url, timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    return await asyncio.to_thread(ask)
