"""Work that this process repeats for itself, whatever other processes do."""

import asyncio
from collections.abc import Awaitable, Callable

from telemetry import get_logger
from web.background import cancel

log = get_logger(__name__)


class Periodic:
    """A Background: `work` once before the start is over, then every `every_s` seconds.

    The first run may fail the start; a later one is logged, and what was known goes on serving.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[object]], *, every_s: float) -> None:
        self._name = name
        self._work = work
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._work()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        task, self._task = self._task, None
        await cancel(task)

    def unhealthy(self) -> str | None:
        return None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._work()
            except Exception:
                log.exception("periodic_work_failed", work=self._name)
