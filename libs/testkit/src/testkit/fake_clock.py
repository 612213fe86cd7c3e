"""A clock that a test moves."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still until told. Starts today at 15:00 UTC, noon in São Paulo: far from every midnight."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC).replace(hour=15, minute=0, second=0, microsecond=0)

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move on by so many seconds; the new time."""
        self._now += timedelta(seconds=seconds)
        return self._now

    def set(self, to: datetime) -> None:
        self._now = to
