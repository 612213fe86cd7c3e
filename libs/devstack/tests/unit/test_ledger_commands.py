"""`ibora ledger …` gives the service's command the running stack's settings."""

import json
from pathlib import Path

import pytest

from devstack import cli, ledger_commands, stack


def test_the_ledger_is_asked_on_the_running_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "ledger.json").write_text(
        json.dumps({"DATABASE_URL": "postgresql://stack/ledger"})
    )
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/x")
    monkeypatch.setattr(stack, "described", lambda _folder: {})
    assert ledger_commands.environment(tmp_path)["DATABASE_URL"] == "postgresql://stack/ledger"


def test_without_a_stack_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--folder", str(tmp_path), "ledger", "verify", "--offline"]) == 1
    assert "no stack runs" in capsys.readouterr().err
