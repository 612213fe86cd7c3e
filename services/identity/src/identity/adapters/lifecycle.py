"""The first and the last thing that a process does."""

from collections.abc import Awaitable, Callable, Sequence

Step = Callable[[], Awaitable[object]]


class Lifecycle:
    """A Background that runs `opening` steps in order at the start and `closing` ones at the end.

    First in the list of backgrounds, it outlives all others: connections are closed when nobody uses them.
    """

    def __init__(self, *, opening: Sequence[Step] = (), closing: Sequence[Step] = ()) -> None:
        self._opening = opening
        self._closing = closing

    async def start(self) -> None:
        for step in self._opening:
            await step()

    async def stop(self) -> None:
        for step in self._closing:
            await step()

    def unhealthy(self) -> str | None:
        return None
