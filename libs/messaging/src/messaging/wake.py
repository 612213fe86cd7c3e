"""Wakes relays and jobs of this process after a commit, so that nobody waits for the next look."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from weakref import WeakSet

_relays: WeakSet[asyncio.Event] = WeakSet()
_jobs: WeakSet[asyncio.Event] = WeakSet()
_in_job: ContextVar[bool] = ContextVar("in_job", default=False)


def nudge() -> None:
    """Wake this process's relays. Cheap and idempotent; called by storage after a commit."""
    for event in _relays:
        event.set()


def nudge_jobs() -> None:
    """Wake the jobs that follow commits. A job's own commits wake nobody: each look of one would start
    another's.
    """
    if not _in_job.get():
        for event in _jobs:
            event.set()


def waker() -> asyncio.Event:
    """An event that `nudge` sets."""
    event = asyncio.Event()
    _relays.add(event)
    return event


def job_waker() -> asyncio.Event:
    """An event that `nudge_jobs` sets."""
    event = asyncio.Event()
    _jobs.add(event)
    return event


@contextmanager
def as_job() -> Iterator[None]:
    """What the block commits, and the tasks that it starts, is a job's work."""
    token = _in_job.set(True)
    try:
        yield
    finally:
        _in_job.reset(token)
