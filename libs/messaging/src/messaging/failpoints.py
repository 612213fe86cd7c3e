"""Named places where a test may stop, delay or break the library; nothing happens in production.

Places: `relay.after_ack` (acknowledged, not yet deleted), `consumer.before_commit` (the handlers ran),
`consumer.after_commit` (the database committed, the offset did not).
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

_hooks: dict[str, Callable[[], Awaitable[None]]] = {}


async def reach(place: str) -> None:
    """Run the hook of `place`, when a test has set one."""
    hook = _hooks.get(place)
    if hook is not None:
        await hook()


@contextmanager
def at(place: str, hook: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """While the block runs, `hook` is awaited whenever `place` is reached; its exception goes through."""
    _hooks[place] = hook
    try:
        yield
    finally:
        _hooks.pop(place, None)
