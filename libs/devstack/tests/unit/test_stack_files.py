"""A stack seen from outside, by its files."""

import os
from pathlib import Path

import pytest

from devstack import cli, processes, stack
from devstack.files import kept_secret, read_json, write_json


def test_a_stack_that_does_not_run_is_not_described(tmp_path: Path) -> None:
    write_json(tmp_path / "stack.json", {"gateway": "http://127.0.0.1:1"})

    with pytest.raises(stack.NotRunning):
        stack.described(tmp_path)


def test_a_stack_whose_supervisor_runs_is_described(tmp_path: Path) -> None:
    write_json(tmp_path / "stack.json", {"gateway": "http://127.0.0.1:1"})
    write_json(tmp_path / "supervisor.json", {"pid": os.getpid(), "mark": processes.started_at(os.getpid())})

    assert stack.described(tmp_path)["gateway"] == "http://127.0.0.1:1"


def test_a_recycled_pid_is_not_taken_for_the_supervisor(tmp_path: Path) -> None:
    write_json(tmp_path / "supervisor.json", {"pid": os.getpid(), "mark": "an earlier process"})

    assert stack.supervisor_pid(tmp_path) is None


def test_a_named_stack_lives_beside_the_usual_one() -> None:
    assert stack.folder_of("other") == stack.folder_of(None) / "stacks" / "other"


def test_a_command_without_a_stack_says_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--folder", str(tmp_path), "stack", "status"]) == 1

    assert "make up" in capsys.readouterr().err


def test_logs_are_printed_with_their_writers_name(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "ledger.log").write_text("one\ntwo\n")
    (tmp_path / "logs" / "payment.log").write_text("three\n")
    said: list[str] = []

    stack.follow(tmp_path, names=["ledger"], say=said.append)

    assert said == ["ledger │ one", "ledger │ two"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_json(tmp_path / "it.json", {"a": 1})
    write_json(tmp_path / "it.json", {"a": 2})

    assert read_json(tmp_path / "it.json") == {"a": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["it.json"]


def test_a_secret_is_generated_once(tmp_path: Path) -> None:
    first = kept_secret(tmp_path / "secrets" / "token")

    assert len(first) >= 43
    assert kept_secret(tmp_path / "secrets" / "token") == first
