"""The business day is São Paulo's."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SAO_PAULO: Final = ZoneInfo("America/Sao_Paulo")


def business_day(at: datetime) -> date:
    """The São Paulo calendar day of an aware datetime."""
    if at.tzinfo is None:
        raise ValueError("a business day needs an aware datetime")
    return at.astimezone(SAO_PAULO).date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """First instant of `day` and of the next one in São Paulo, in UTC: half open."""
    start = datetime.combine(day, time(), tzinfo=SAO_PAULO)
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=SAO_PAULO)
    return start.astimezone(UTC), end.astimezone(UTC)
