"""An event loop in a thread of its own, for fixtures that do I/O while the test's loop is running."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Apart:
    """Runs coroutines to their end from synchronous code, whether or not the caller's thread has a loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="testkit", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], *, timeout_s: float = 120) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def close(self) -> None:
        self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def in_thread(work: Any) -> Any:
    """Call `work()` in a fresh thread, which has no running loop; awaits what it gives if that can be
    awaited.
    """
    outcome: list[Any] = []

    def call() -> None:
        try:
            answer = work()
            outcome.append(asyncio.run(_settle(answer)) if asyncio.iscoroutine(answer) else answer)
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            outcome.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


async def _settle(answer: Coroutine[Any, Any, T]) -> T:
    return await answer
