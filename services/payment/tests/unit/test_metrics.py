"""What Prometheus sees before anything happened: an alert on growth needs a series to grow from."""

import math
from itertools import product

import pytest
from prometheus_client import CollectorRegistry, Counter

from contracts.payment import ClaimKind
from payment import metrics
from testkit.series import Series, alerted_counters, fresh_series, series


@pytest.fixture(scope="module")
def fresh() -> dict[Series, float]:
    """Every series of a process that has only just begun."""
    return fresh_series("payment.api.webhooks")


def test_each_counter_that_an_alert_names_begins_at_zero(fresh: dict[Series, float]) -> None:
    names = alerted_counters(metrics)
    assert {"payment_claims_rejected_total", "payment_refunds_total", "webhooks_refused_total"} <= names
    for name in names:
        values = {value for (known, _), value in fresh.items() if known == name}
        assert values == {0.0}, name


def test_each_label_that_an_alert_tells_apart_is_there(fresh: dict[Series, float]) -> None:
    wanted = {
        *(series("payment_claims_rejected_total", kind=kind) for kind in ClaimKind),
        *(
            series("payment_refunds_total", target=target, status=status)
            for target, status in product(("fare", "credit"), ("REFUNDED", "FAILED"))
        ),
        *(
            series("webhooks_refused_total", reason=reason)
            for reason in ("malformed_json", "wrong_client_certificate")
        ),
        *(series("pix_held_total", source=source) for source in ("webhook", "janitor")),
    }
    assert wanted <= fresh.keys()


def test_an_age_that_nobody_measured_is_no_number(fresh: dict[Series, float]) -> None:
    assert math.isnan(fresh[series("payment_oldest_open_refund_seconds")])


def test_a_counter_with_labels_has_no_series_by_itself() -> None:
    """Why the metrics make theirs: if the library ever does, that can go."""
    registry = CollectorRegistry()
    counter = Counter("events", "Events", ["kind"], registry=registry)
    assert registry.get_sample_value("events_total", {"kind": "a"}) is None
    counter.labels("a")
    assert registry.get_sample_value("events_total", {"kind": "a"}) == 0.0
