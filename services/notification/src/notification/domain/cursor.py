"""Where an app stands in its log, and what it missed."""

from dataclasses import dataclass
from enum import Enum, auto


class Arrival(Enum):
    """What to do with a message that arrives out of the log's order."""

    SEND = auto()
    SKIP = auto()
    CATCH_UP = auto()


@dataclass(slots=True)
class Cursor:
    """`last` is the offset of the last message that the app was sent."""

    last: int

    def arrival(self, offset: int) -> Arrival:
        """The next offset is sent, an older one was sent already, a later one shows a gap."""
        if offset <= self.last:
            return Arrival.SKIP
        return Arrival.SEND if offset == self.last + 1 else Arrival.CATCH_UP


def starting_offset(*, epoch: str, last: int, asked_epoch: str | None, asked_offset: int | None) -> int:
    """From where an app goes on: where it says it stands, if that is this log and not beyond its end.

    Another epoch, or none, starts at the end: the app reads its state from the API first.
    """
    if asked_epoch != epoch or asked_offset is None or not 0 <= asked_offset <= last:
        return last
    return asked_offset
