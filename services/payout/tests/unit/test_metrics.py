"""What Prometheus sees before anything happened: an alert on growth needs a series to grow from."""

import math
import re
import subprocess
import sys

import pytest
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families

from devstack.folders import ROOT
from payout import metrics
from payout.domain.step import FailureReason

Series = tuple[str, tuple[tuple[str, str], ...]]
ALERTS = ROOT / "deploy/helm/ibora/templates/monitoring.yaml"
SHOW = "import payout.metrics, prometheus_client as p; print(p.generate_latest().decode())"


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
