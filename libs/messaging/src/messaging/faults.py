"""Which errors pass by themselves, and when too many keys fail to blame the events."""

from collections.abc import Callable
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError

from kernel.refusals import Refusal
from storage import sqlstate

WINDOW_S: Final = 60.0
SHARE: Final = 0.2
FEW: Final = 10

_BUGS: Final = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    NotImplementedError,
)
_LASTING_SQLSTATES: Final = ("22", "42")
_CONSTRAINT_SQLSTATE: Final = "23"
CONSTRAINT_TRIES: Final = 3


def is_permanent(error: BaseException, *, tries: int = 1) -> bool:
    """Whether trying again cannot help: a final refusal, a bug, or data that the database refuses.

    A broken constraint is tried a few times: a concurrent request may have won a race that the handler
    sees when it looks again.
    """
    if isinstance(error, Refusal):
        return error.final
    if isinstance(error, DBAPIError | asyncpg.PostgresError) and not isinstance(error, InterfaceError):
        state = sqlstate(error) or ""
        if state.startswith(_CONSTRAINT_SQLSTATE):
            return tries >= CONSTRAINT_TRIES
        return state.startswith(_LASTING_SQLSTATES)
    return isinstance(error, _BUGS)


class ParkingGuard:
    """Refuses to park when more than a fifth of the keys of the last minute fail: a dependency is down.

    A few failing keys are always parked: a share says nothing when the traffic is thin.
    """

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: dict[str, float] = {}
        self._failed: dict[str, float] = {}
        self._pruned_at = monotonic()

    def saw(self, key: str) -> None:
        """An event of `key` was processed or tried."""
        self._seen[key] = self._monotonic()

    def may_park(self, key: str) -> bool:
        """Note that `key` fails; False when it should block instead."""
        now = self._monotonic()
        self._seen[key] = self._failed[key] = now
        self._prune(now)
        return not self.blocks()

    def blocks(self) -> bool:
        """Whether too many keys fail."""
        return len(self._failed) > max(FEW, SHARE * len(self._seen))

    def relax(self) -> None:
        """Forget what is older than the window; called now and then, so that memory stays bounded."""
        now = self._monotonic()
        if now - self._pruned_at >= WINDOW_S:
            self._prune(now)

    def _prune(self, now: float) -> None:
        self._pruned_at = now
        for times in (self._seen, self._failed):
            for key in [key for key, at in times.items() if now - at > WINDOW_S]:
                del times[key]
