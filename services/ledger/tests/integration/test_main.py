"""The command: what it offers, and the commands that end by themselves."""

import io
import json
import sys
from collections.abc import Callable

import pytest

from kernel.ids import new_id
from ledger.main import cli, describe
from testkit.databases import DatabaseUrls


@pytest.fixture
def run(make_database: Callable[[str], DatabaseUrls], monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run `ledger <command>` on a database of its own, with `order` on standard input."""
    urls = make_database("ledger")
    monkeypatch.setenv("DATABASE_URL", urls.app_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", urls.owner_url)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")

    def run(command: str, order: object = None, *, options: tuple[str, ...] = ()) -> int:
        monkeypatch.setattr(sys, "argv", ["ledger", command, *options])
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(order)))
        return cli()

    return run


def test_the_routes_are_described_without_opening_anything() -> None:
    paths = describe().openapi()["paths"]
    assert paths["/drivers/{driver_id}/balance"]["get"]["operationId"] == "get_driver_balance"
    assert paths["/drivers/{driver_id}/financials"]["get"]["operationId"] == "get_driver_financials"


def test_the_books_are_kept_from_a_terminal(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    capital = {
        "description": "Capital",
        "reason": "contrato social",
        "proposed_by": str(new_id()),
        "lines": [
            {"account_code": "1100", "entry_type": "DEBIT", "amount": "10.00"},
            {"account_code": "3100", "entry_type": "CREDIT", "amount": "10.00"},
        ],
    }
    assert run("migrate") == 0
    assert run("rebuild") == 0
    assert run("journal", capital) == 0
    assert "another admin approves it" in capsys.readouterr().out
    assert run("trial-balance") == 0
    reversal = {"transaction_id": "not-posted", "reason": "typo", "ordered_by": str(new_id())}
    assert run("reverse", reversal) == 1
    assert "not_found" in capsys.readouterr().err
    # No broker answers there: without its anchors the chain is not half verified in silence.
    assert run("verify") == 1
    assert "Kafka does not answer" in capsys.readouterr().err
    assert run("verify", options=("--offline",)) == 0
    assert run("verify-days") == 0
    assert run("nonsense") == 2
