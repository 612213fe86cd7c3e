"""Small answers that every service gives alike."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from kernel.refusals import NotFound, NotYetKnown

X = TypeVar("X")
_FIRST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 0.05


def not_found_unless(condition: object) -> None:
    """Raise NotFound unless the condition holds: the object is missing, or another's."""
    if not condition:
        raise NotFound


async def wait_until_known(read: Callable[[], Awaitable[X | None]], *, timeout_s: float = 0.5) -> X:
    """What `read` gives once it gives something; NotYetKnown (409, `Retry-After: 1`) after `timeout_s`.

    For a fact of another service that has not arrived yet. Each `read` opens its own transaction.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    pause_s = _FIRST_PAUSE_S
    while True:
        value = await read()
        if value is not None:
            return value
        if loop.time() + pause_s > deadline:
            raise NotYetKnown
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
