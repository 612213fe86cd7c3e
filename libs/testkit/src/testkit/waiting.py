"""Wait for a condition, never for a time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    check: Callable[[], T | Awaitable[T]], timeout_s: float = 10, *, every_s: float = 0.02, what: str = ""
) -> T:
    """Poll `check` (plain or async) until it answers something true, and give that back.

    An AssertionError counts as "not yet", so a check may be written as asserts that end in `return True`.
    When the time is over the last AssertionError is raised, or one that names `what`.
    """
    deadline = time.monotonic() + timeout_s
    failure: AssertionError | None = None
    while True:
        try:
            answer = check()
            result: T = await answer if inspect.isawaitable(answer) else answer
            if result:
                return result
            failure = None
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"still not true after {timeout_s} s: {what or _name(check)}")
        await asyncio.sleep(every_s)


def _name(check: Callable[[], object]) -> str:
    return getattr(check, "__qualname__", repr(check))
