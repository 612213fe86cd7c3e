"""How much may be paid out at once and in a day."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payout_fakes import NOW

from kernel.refusals import Refusal
from payout.domain.limits import AboveMaximum, BelowMinimum, DayLimit, Limits, PayoutLimitReached, Usage

TEN = Decimal("10.00")


@pytest.mark.parametrize(
    ("amount", "refusal", "detail"),
    [
        ("0.99", BelowMinimum, ">= 1.00"),
        ("1.00", None, ""),
        ("50.00", None, ""),
        ("50.01", AboveMaximum, "<= 50.00"),
    ],
)
def test_one_payout_has_a_least_and_a_most(amount: str, refusal: type[Refusal] | None, detail: str) -> None:
    limits = Limits(maximum=Decimal("50.00"))
    if refusal is None:
        limits.check_amount(Decimal(amount))
        return
    with pytest.raises(refusal) as refused:
        limits.check_amount(Decimal(amount))
    [error] = refused.value.errors
    assert (refused.value.status, error.pointer, error.detail) == (422, "/amount", detail)


def test_nothing_is_limited_unless_it_is_set() -> None:
    limits = Limits()
    huge = Usage(count=10**9, amount=Decimal(10**9))
    limits.check_amount(Decimal(10**9))
    limits.check_driver(TEN, used=huge, now=NOW)
    limits.check_platform(TEN, used=huge, now=NOW)
    assert not limits.driver.bounded
    assert DayLimit(count=0).bounded
    assert DayLimit(amount=TEN).bounded


@pytest.mark.parametrize(
    ("limit", "used", "exceeded"),
    [
        (DayLimit(count=2), Usage(count=1), None),
        (DayLimit(count=2), Usage(count=2), "count"),
        (DayLimit(count=0), Usage(), "count"),
        (DayLimit(amount=TEN), Usage(amount=Decimal("0.00")), None),
        (DayLimit(amount=TEN), Usage(amount=Decimal("0.01")), "sum"),
        (DayLimit(count=2, amount=TEN), Usage(count=2, amount=TEN), "count"),
    ],
)
def test_the_last_place_of_a_day_is_the_last(limit: DayLimit, used: Usage, exceeded: str | None) -> None:
    assert limit.exceeded_by(TEN, used=used) == exceeded


@given(amounts=st.lists(st.decimals(min_value="0.01", max_value="99.99", places=2), max_size=20))
def test_a_day_never_holds_more_than_its_limits(amounts: list[Decimal]) -> None:
    limit = DayLimit(count=5, amount=Decimal("150.00"))
    used = Usage()
    for amount in amounts:
        if limit.exceeded_by(amount, used=used) is None:
            used = Usage(count=used.count + 1, amount=used.amount + amount)
    assert used.count <= 5
    assert used.amount <= Decimal("150.00")


def test_a_refusal_names_its_limit_and_when_the_day_ends() -> None:
    """A driver hears how much theirs is; the platform's concerns nobody."""
    at = datetime(2026, 3, 11, 2, 59, 30, tzinfo=UTC)  # half a minute before midnight in São Paulo
    limits = Limits(driver=DayLimit(count=3), platform=DayLimit(amount=TEN))
    with pytest.raises(PayoutLimitReached) as of_driver:
        limits.check_driver(TEN, used=Usage(count=3), now=at)
    with pytest.raises(PayoutLimitReached) as of_platform:
        limits.check_platform(TEN, used=Usage(amount=TEN), now=at)
    assert [(one.code, one.detail) for one in of_driver.value.errors] == [("driver_day_count", "<= 3")]
    assert [(one.code, one.detail) for one in of_platform.value.errors] == [("platform_day_sum", "platform")]
    assert (of_driver.value.status, of_driver.value.retry_after_s, of_driver.value.final) == (409, 31, False)
    with pytest.raises(PayoutLimitReached) as of_sum:
        Limits(driver=DayLimit(amount=TEN)).check_driver(TEN, used=Usage(amount=TEN), now=at)
    assert of_sum.value.errors[0].detail == "<= 10.00"
