"""When a job runs: by the clock, after a commit, and never twice for one reason."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from messaging import Schedule
from messaging.jobs import Job
from messaging.wake import nudge_jobs
from storage.nudge import committed, forget_hook, on_commit
from telemetry import tracing
from testkit import eventually

LONG_S = 3600


@asynccontextmanager
async def scheduled(schedule: Schedule, work: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    job = Job(schedule, work, locks=None)
    task = asyncio.create_task(job.run())
    on_commit(nudge_jobs)
    try:
        yield
    finally:
        forget_hook(nudge_jobs)
        job.stop()
        await asyncio.wait_for(task, 10)


class Runs:
    """A job that answers `found`, one number a run, then 0; each run commits something of its own."""

    def __init__(self, *found: int) -> None:
        self.found = list(found)
        self.started_at: list[float] = []

    async def __call__(self) -> int:
        self.started_at.append(time.monotonic())
        committed(outbox=False)
        return self.found.pop(0) if self.found else 0

    @property
    def count(self) -> int:
        return len(self.started_at)


async def settle(runs: Runs, *, count: int) -> None:
    """Wait for `count` runs, then as long as a further one would take to begin."""
    await eventually(lambda: runs.count >= count)
    await eventually(lambda: time.monotonic() - runs.started_at[-1] > 0.3)


async def test_a_commit_wakes_a_job_before_its_time() -> None:
    runs = Runs()
    async with scheduled(Schedule("s", LONG_S, wake_on_commit=True), runs):
        await settle(runs, count=1)
        before = time.monotonic()
        committed(outbox=False)
        await eventually(lambda: runs.count == 2)
        assert runs.started_at[1] - before < 0.1


async def test_a_job_that_goes_by_the_clock_does_not_follow_commits() -> None:
    runs = Runs()
    async with scheduled(Schedule("s", LONG_S), runs):
        await settle(runs, count=1)
        committed(outbox=True)
        await settle(runs, count=1)
    assert runs.count == 1


async def test_a_jobs_own_commits_wake_nobody() -> None:
    one, other = Runs(), Runs()
    async with (
        scheduled(Schedule("one", LONG_S, wake_on_commit=True), one),
        scheduled(Schedule("other", LONG_S, wake_on_commit=True), other),
    ):
        await settle(one, count=1)
        await settle(other, count=1)
    assert (one.count, other.count) == (1, 1)


async def test_a_job_goes_on_while_it_finds_something() -> None:
    runs = Runs(5, 5, 1)
    async with scheduled(Schedule("s", LONG_S, wake_on_commit=True), runs):
        await settle(runs, count=4)
    assert runs.count == 4, "three that found something, and one that found nothing more"


async def test_a_storm_of_commits_does_not_become_a_storm_of_runs() -> None:
    runs = Runs()
    async with scheduled(Schedule("s", LONG_S, wake_on_commit=True), runs):

        def storm() -> bool:
            committed(outbox=False)
            return runs.count >= 5

        await eventually(storm)
    gaps = [b - a for a, b in zip(runs.started_at, runs.started_at[1:], strict=False)]
    assert min(gaps) >= 0.09


async def test_a_look_in_vain_leaves_no_span() -> None:
    spans = tracing.record_spans()
    runs = Runs(3)
    async with scheduled(Schedule("traced", LONG_S, wake_on_commit=True), runs):
        await settle(runs, count=2)
    assert [span.name for span in spans.get_finished_spans() if span.name == "job traced"] == ["job traced"]
