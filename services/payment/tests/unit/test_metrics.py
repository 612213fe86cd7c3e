"""What Prometheus sees before anything happened: an alert on growth needs a series to grow from."""

import math
import re
import subprocess
import sys
from itertools import product

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from contracts.payment import ClaimKind
from devstack.folders import ROOT
from payment import metrics

Series = tuple[str, tuple[tuple[str, str], ...]]
ALERTS = ROOT / "deploy/helm/ibora/templates/monitoring.yaml"
SHOW = "import payment.api.webhooks, prometheus_client as p; print(p.generate_latest().decode())"


def series(name: str, **labels: str) -> Series:
    return name, tuple(sorted(labels.items()))


@pytest.fixture(scope="module")
def fresh() -> dict[Series, float]:
    """Every series of a process that has only just begun."""
    begun = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True)
    samples = (s for family in text_string_to_metric_families(begun.stdout) for s in family.samples)
    return {series(sample.name, **sample.labels): sample.value for sample in samples}


def counted() -> set[str]:
    """The counters of ours that an alert looks at the growth of."""
    alerted = set(re.findall(r"(?:increase|rate)\((\w+)", ALERTS.read_text(encoding="utf-8")))
    ours = {f"{one._name}_total" for one in vars(metrics).values() if isinstance(one, Counter)}
    return alerted & ours


def test_each_counter_that_an_alert_names_begins_at_zero(fresh: dict[Series, float]) -> None:
    names = counted()
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
