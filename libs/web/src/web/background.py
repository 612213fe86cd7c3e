"""What runs beside the requests of a process: a relay, a consumer, a poller."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from telemetry import get_logger

log = get_logger(__name__)

_CANCEL_AGAIN_S: Final = 0.5


class Background(Protocol):
    """Started before the first request, stopped after the last; an unhealthy one makes /health 503."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def unhealthy(self) -> str | None: ...


class Closing:
    """A Background that only closes something when the process ends: `web.Closing(database.dispose)`."""

    def __init__(self, close: Callable[[], Awaitable[None]]) -> None:
        self._close = close

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        await self._close()

    def unhealthy(self) -> str | None:
        return None


async def start_all(parts: Sequence[Background]) -> None:
    """Start in order; when one cannot start, those before it are stopped again."""
    started: list[Background] = []
    try:
        for part in parts:
            await part.start()
            started.append(part)
    except BaseException:
        await stop_all(started)
        raise


async def stop_all(parts: Sequence[Background]) -> None:
    """Stop in reverse order; one that fails does not keep the others running."""
    for part in reversed(parts):
        try:
            await part.stop()
        except Exception:  # logged, and the rest still has to stop
            log.exception("background_not_stopped", part=type(part).__name__)


async def cancel(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait for its end. Asks again while a library inside it swallows the cancellation."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_CANCEL_AGAIN_S)
