"""Stops, delays and breaks messaging at its named places, for tests of what happens in between.

The places: `relay.after_ack`, `consumer.before_commit`, `consumer.after_commit` (see `messaging.failpoints`).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from messaging import failpoints


class Broken(Exception):
    """What a failpoint raises when a test gives nothing better."""


@dataclass
class Halt:
    """Whoever reaches the place stands there until `release`."""

    place: str
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self._released.set()

    async def __call__(self) -> None:
        self.reached.set()
        await self._released.wait()


@asynccontextmanager
async def halt_at(place: str) -> AsyncIterator[Halt]:
    """`async with halt_at("relay.after_ack") as halt: await halt.reached.wait(); …`; released at the end."""
    halt = Halt(place)
    with failpoints.at(place, halt):
        try:
            yield halt
        finally:
            halt.release()


@dataclass
class Breaks:
    """Raises the first so many times the place is reached, then lets everything pass."""

    error: BaseException
    left: int
    reached: int = 0

    async def __call__(self) -> None:
        self.reached += 1
        if self.left > 0:
            self.left -= 1
            raise self.error


@contextmanager
def break_at(place: str, *, error: BaseException | None = None, times: int = 1) -> Iterator[Breaks]:
    """Raise `error` the next `times` times somebody reaches the place."""
    breaks = Breaks(error or Broken(place), times)
    with failpoints.at(place, breaks):
        yield breaks
