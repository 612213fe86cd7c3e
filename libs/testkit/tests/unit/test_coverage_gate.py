"""The gate lets good coverage through and nothing else."""

from typing import Any

from testkit.coverage_gate import verdict

MONEY = "libs/kernel/src/kernel/money.py"
DOMAIN = "services/payment/src/payment/domain/intent.py"
ROUTE = "services/payment/src/payment/api/payments.py"


def report(covered: int, **files: dict[str, Any]) -> dict[str, Any]:
    named = {"money": MONEY, "domain": DOMAIN, "route": ROUTE}
    return {
        "totals": {"covered_lines": covered, "num_statements": 1000},
        "files": {
            named[name]: {"missing_lines": [], "missing_branches": []} | file for name, file in files.items()
        },
    }


def test_a_covered_repository_passes() -> None:
    said, wrong = verdict(report(900, money={}, domain={}, route={"missing_lines": [4]}))

    assert wrong == []
    assert said[0].startswith("lines 90.0 %")


def test_too_few_lines_are_refused_and_exactly_85_percent_is_too_few() -> None:
    assert len(verdict(report(850, domain={}))[1]) == 1
    assert verdict(report(851, domain={}))[1] == []


def test_a_missing_branch_in_a_domain_or_in_money_is_refused() -> None:
    _, wrong = verdict(
        report(999, money={"missing_branches": [[3, 5]]}, domain={"missing_branches": [[7, -1]]})
    )

    assert [line.split(":")[0] for line in wrong] == [MONEY, DOMAIN]
    assert "3->5" in wrong[0]


def test_a_missing_line_in_a_domain_is_refused() -> None:
    assert len(verdict(report(999, domain={"missing_lines": [12]}))[1]) == 1
