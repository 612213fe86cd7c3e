"""The business day is São Paulo's, whatever the server's."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.business_day import business_day, day_bounds


def test_a_late_evening_in_utc_is_still_the_same_day_in_sao_paulo() -> None:
    assert business_day(datetime(2026, 11, 25, 2, 59, 59, tzinfo=UTC)) == date(2026, 11, 24)
    assert business_day(datetime(2026, 11, 25, 3, tzinfo=UTC)) == date(2026, 11, 25)


def test_a_naive_time_has_no_business_day() -> None:
    with pytest.raises(ValueError, match="aware"):
        business_day(datetime(2026, 11, 24))  # noqa: DTZ001 - the mistake under test


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1)))
def test_the_bounds_hold_their_day_and_nothing_else(day: date) -> None:
    start, end = day_bounds(day)
    tick = timedelta(microseconds=1)
    assert (business_day(start), business_day(end - tick)) == (day, day)
    assert business_day(start - tick) < day < business_day(end)


def test_the_days_around_the_old_summer_time_have_23_and_25_hours() -> None:
    spring, autumn = day_bounds(date(2018, 11, 4)), day_bounds(date(2018, 2, 17))
    assert spring[1] - spring[0] == timedelta(hours=23)
    assert autumn[1] - autumn[0] == timedelta(hours=25)
