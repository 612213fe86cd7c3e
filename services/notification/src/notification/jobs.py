"""What notification does by the clock."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from messaging import Schedule
from notification.ports import Deps
from notification.usecases.drop_old_messages import drop_old_messages

RETENTION: Final = timedelta(days=7)


async def run_drop_old_messages(deps: Deps) -> None:
    async with deps.transaction() as tx:
        await drop_old_messages(tx, now=deps.now(), retention=RETENTION)


JOBS: Final[Mapping[Schedule, Callable[[Deps], Awaitable[None]]]] = {
    Schedule(name="drop_old_messages", every_s=60.0): run_drop_old_messages,
}


def timetable(deps: Deps) -> Mapping[Schedule, Callable[[], Awaitable[None]]]:
    """JOBS bound to `deps`."""
    return {schedule: partial(job, deps) for schedule, job in JOBS.items()}
