"""The periods of a driver's earnings: São Paulo's day, ISO week and month."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kernel.business_day import business_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """First days (inclusive) of the periods that `today` is in."""

    today: date
    week: date
    month: date

    @property
    def first(self) -> date:
        """The earliest day that any of them needs."""
        return min(self.week, self.month)


def periods_of(now: datetime) -> Periods:
    """The periods that contain `now`; a week begins on Monday."""
    today = business_day(now)
    return Periods(today=today, week=today - timedelta(days=today.weekday()), month=today.replace(day=1))
