"""Wakes the relays of this process after a commit, so that nobody waits for the next look."""

import asyncio
from weakref import WeakSet

_wakers: WeakSet[asyncio.Event] = WeakSet()


def nudge() -> None:
    """Wake this process's relays. Cheap and idempotent; called by storage after a commit."""
    for event in _wakers:
        event.set()


def waker() -> asyncio.Event:
    """An event that `nudge` sets."""
    event = asyncio.Event()
    _wakers.add(event)
    return event
