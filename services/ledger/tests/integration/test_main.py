"""The command: what it offers, and the commands that end by themselves."""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import web
from kernel.ids import new_id
from ledger.main import _login, cli, describe
from testkit.databases import DatabaseUrls
from testkit.tokens import Tokens


@pytest.fixture
def run(
    make_database: Callable[[str], DatabaseUrls], monkeypatch: pytest.MonkeyPatch, tokens: Tokens
) -> Callable[..., int]:
    """Run `ledger <command>` on a database of its own, with `order` on standard input."""
    urls = make_database("ledger")
    monkeypatch.setenv("DATABASE_URL", urls.app_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", urls.owner_url)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setattr(web, "make_verifier", lambda _: tokens.verifier())

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
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tokens: Tokens,
    tmp_path: Path,
) -> None:
    capital = {
        "description": "Capital",
        "reason": "contrato social",
        "lines": [
            {"account_code": "1100", "entry_type": "DEBIT", "amount": "10.00"},
            {"account_code": "3100", "entry_type": "CREDIT", "amount": "10.00"},
        ],
    }
    assert run("migrate") == 0
    assert run("rebuild") == 0
    # An order does not say who gives it: the token does.
    assert run("journal", capital) == 1
    assert "unauthenticated" in capsys.readouterr().err
    token = tmp_path / "token"
    monkeypatch.setenv("OPERATOR_TOKEN_FILE", str(token))
    token.write_text(tokens.token(new_id(), "driver"))
    assert run("journal", capital) == 1
    assert "forbidden" in capsys.readouterr().err
    token.write_text(tokens.token(new_id(), "admin"))
    assert run("journal", capital) == 0
    assert "another admin approves it" in capsys.readouterr().out
    assert run("trial-balance") == 0
    reversal = {"transaction_id": "not-posted", "reason": "typo"}
    assert run("reverse", reversal) == 1
    assert "not_found" in capsys.readouterr().err
    # No broker answers there: without its anchors the chain is not half verified in silence.
    assert run("verify") == 1
    assert "Kafka does not answer" in capsys.readouterr().err
    assert run("verify", options=("--offline",)) == 0
    assert run("verify-days") == 0
    assert run("nonsense") == 2


def test_who_has_a_number_and_no_name_on_the_machine_is_told_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the image a user is 10001 and stands in no list."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert _login() == f"uid {os.getuid()}"
