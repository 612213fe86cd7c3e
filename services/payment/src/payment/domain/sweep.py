"""The windows in which Efí's list of received Pix is compared with ours."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

OVERLAP: Final = timedelta(minutes=10)
WINDOW: Final = timedelta(hours=6)


def windows(start: datetime, *, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From `start` to `end` in pieces that a list is short for; each begins an overlap before the last one's end."""
    opens = start
    while opens < end:
        closes = min(opens + WINDOW, end)
        yield opens, closes
        if closes == end:
            return
        opens = closes - OVERLAP
