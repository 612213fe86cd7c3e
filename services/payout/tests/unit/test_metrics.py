"""What Prometheus sees before anything happened: an alert on growth needs a series to grow from."""

import math

import pytest

from payout import metrics
from payout.domain.step import FailureReason
from testkit.series import Series, alerted_counters, fresh_series, series


@pytest.fixture(scope="module")
def fresh() -> dict[Series, float]:
    """Every series of a process that has only just begun."""
    return fresh_series("payout.metrics")


def test_each_counter_that_an_alert_names_begins_at_zero(fresh: dict[Series, float]) -> None:
    names = alerted_counters(metrics)
    assert {"payouts_failed_total", "payouts_returned_total", "payout_contradictions_total"} <= names
    for name in names:
        values = {value for (known, _), value in fresh.items() if known == name}
        assert values == {0.0}, name


def test_each_reason_of_a_failure_and_outcome_of_an_attempt_is_there(fresh: dict[Series, float]) -> None:
    wanted = {
        *(series("payouts_failed_total", reason=reason) for reason in FailureReason),
        *(
            series("payout_send_attempts_total", outcome=outcome)
            for outcome in ("answered", "refused", "unclear", "not_made")
        ),
    }
    assert wanted <= fresh.keys()


@pytest.mark.parametrize("status", ["pending", "processing"])
def test_an_age_that_nobody_measured_is_no_number(fresh: dict[Series, float], status: str) -> None:
    assert math.isnan(fresh[series("payouts_oldest_open_seconds", status=status)])
