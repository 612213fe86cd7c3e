"""What payout does by the clock."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from messaging import Schedule
from payout.effects.poll_sends import poll_sends
from payout.effects.process_payout import process_payout
from payout.effects.take_bank_snapshot import take_bank_snapshot
from payout.effects.watch_doubts import watch_doubts
from payout.effects.watch_open import watch_open
from payout.ports import Deps

JOBS: Final[Mapping[str, Callable[[Deps], Awaitable[int]]]] = {
    "take_bank_snapshot": take_bank_snapshot,
    "process_payout": process_payout,
    "poll_sends": poll_sends,
}
# Every worker measures for itself.
WATCHES: Final[Mapping[str, Callable[[Deps], Awaitable[int]]]] = {
    "watch_doubts": watch_doubts,
    "watch_open": watch_open,
}
WATCH_S: Final = 15.0


def timetable(deps: Deps, *, every_s: float) -> Mapping[Schedule, Callable[[], Awaitable[int]]]:
    """JOBS bound to `deps`, each looking for due payouts after a commit and every `every_s` seconds.

    Each of JOBS is run by one process at a time: for `process_payout` this is what serialises sends an Efí account.
    """
    jobs = {
        Schedule(name=name, every_s=every_s, wake_on_commit=True): partial(job, deps)
        for name, job in JOBS.items()
    }
    watches = {
        Schedule(name=name, every_s=WATCH_S, exclusive=False): partial(watch, deps)
        for name, watch in WATCHES.items()
    }
    return {**jobs, **watches}
