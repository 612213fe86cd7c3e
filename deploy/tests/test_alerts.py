"""An alert that nobody can answer, or that can never fire, is found."""

from pathlib import Path
from typing import Any

import pytest
from deploy_checks import alerts

METRICS = frozenset({"payouts_failed_total", "job_duration_seconds"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "payouts.md").write_text("the alert PayoutsFail")
    return tmp_path


def an_alert(**changes: Any) -> dict[str, Any]:
    sound = {
        "alert": "PayoutsFail",
        "expr": 'sum by (reason) (rate(payouts_failed_total{reason!="x_y"}[5m])) > 0',
        "annotations": {"summary": "payouts fail", "runbook": "pages/payouts.md"},
    }
    return sound | changes


def test_every_alert_of_the_chart_is_sound() -> None:
    assert list(alerts.problems()) == []


def test_a_sound_alert_passes(root: Path) -> None:
    assert list(alerts.alert_problems(an_alert(), metrics=METRICS, root=root)) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"expr": "payouts_lost_total > 0"},
            "PayoutsFail watches payouts_lost_total, which no code declares",
        ),
        ({"annotations": {"summary": "payouts fail"}}, "PayoutsFail leads to no runbook"),
        (
            {"annotations": {"runbook": "pages/other.md"}},
            "PayoutsFail leads to pages/other.md, which is not there",
        ),
        ({"alert": "PayoutsStop"}, "pages/payouts.md does not name PayoutsStop"),
    ],
)
def test_an_unsound_alert_is_named(root: Path, changes: dict[str, Any], problem: str) -> None:
    assert list(alerts.alert_problems(an_alert(**changes), metrics=METRICS, root=root)) == [problem]


@pytest.mark.parametrize(
    ("told", "problems"),
    [
        ("`payouts_failed_total` is over 3", []),
        ("`payouts_failed_total{reason}` > 3.0", []),
        (
            "`payouts_failed_total` is over 4",
            ["payouts_failed_total is compared with 4, the alert's limit is 3"],
        ),
        (
            "`job_duration_seconds` under 45",
            ["job_duration_seconds is compared with 45, the alert's limit is 35"],
        ),
        ("`payouts_created_total` is over 4", []),
        ("nothing of it.\n\n**Over when** `payouts_failed_total` is below 1", []),
    ],
)
def test_a_runbook_that_names_another_limit_is_named(root: Path, told: str, problems: list[str]) -> None:
    (root / "pages" / "payouts.md").write_text(f"# Payouts\n\nPayoutsFail: {told}")
    alert = an_alert(expr="max(payouts_failed_total) > 3 or min(job_duration_seconds) < 35")
    found = list(alerts.alert_problems(alert, metrics=METRICS, root=root))
    assert found == [f"pages/payouts.md says {problem}" for problem in problems]


def test_a_histogram_is_known_by_its_series(root: Path) -> None:
    quantile = "histogram_quantile(0.99, sum by (le) (rate(job_duration_seconds_bucket[5m]))) > 1"
    assert list(alerts.alert_problems(an_alert(expr=quantile), metrics=METRICS, root=root)) == []
