"""What payout does by the clock: each is run by one process at a time."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from messaging import Schedule
from payout.effects.poll_sends import poll_sends
from payout.effects.process_payout import process_payout
from payout.effects.take_bank_snapshot import take_bank_snapshot
from payout.ports import Deps

JOBS: Final[Mapping[str, Callable[[Deps], Awaitable[int]]]] = {
    "take_bank_snapshot": take_bank_snapshot,
    "process_payout": process_payout,
    "poll_sends": poll_sends,
}


def timetable(deps: Deps, *, every_s: float) -> Mapping[Schedule, Callable[[], Awaitable[int]]]:
    """JOBS bound to `deps`, each looking for due payouts after a commit and every `every_s` seconds."""
    return {
        Schedule(name=name, every_s=every_s, wake_on_commit=True): partial(job, deps)
        for name, job in JOBS.items()
    }
