"""A run of tests starts its infrastructure once, shares it, and leaves nothing behind, however it ends."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import processes
from testkit.infrastructure import stop_all

TIMEOUT_S = 60

TESTS = """
import os, pathlib, signal
import pytest

WHERE = pathlib.Path(os.environ["WHERE"])

@pytest.mark.parametrize("number", range(4))
def test_asks_for_a_server(infrastructure, number, worker):
    (WHERE / f"{worker}-{number}").write_text(infrastructure.valkey + " " + str(infrastructure.run_folder))

def test_waits(infrastructure):
    infrastructure.valkey
    (WHERE / "waiting").write_text(str(infrastructure.run_folder))
    if os.environ.get("WAIT"):
        signal.pause()

@pytest.fixture
def worker():
    return os.environ.get("PYTEST_XDIST_WORKER", "main")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "test_inner.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p testkit.plugin -p no:cacheprovider\n")
    (tmp_path / "where").mkdir()
    return tmp_path


@pytest.fixture
def environment(project: Path) -> Iterator[dict[str, str]]:
    """No addresses are given, so the run starts its own; its folders are below the test's own one."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("IBORA_TEST_", "PYTEST_"))
    }
    temporary = project / "tmp"
    temporary.mkdir()
    yield kept | {"IBORA_TEST_PARTS": "embedded", "WHERE": str(project / "where"), "TMPDIR": str(temporary)}
    for folder in temporary.glob("ibora-tests-*"):
        stop_all(folder)


def run(project: Path, environment: dict[str, str], *options: str) -> "subprocess.Popen[bytes]":
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        str(project),
        "-c",
        str(project / "pytest.ini"),
        *options,
    ]
    with (project / "output").open("wb") as output:
        return subprocess.Popen(
            command,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_hear_interrupts,  # noqa: PLW1509  # no threads here yet
        )


def _hear_interrupts() -> None:
    """A shell's background job ignores SIGINT, and so would whatever it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_workers_share_one_server_that_is_gone_afterwards(project: Path, environment: dict[str, str]) -> None:
    inner = run(project, environment, "-n", "2")

    assert inner.wait(TIMEOUT_S) == 0, (project / "output").read_text()
    answers = [path.read_text() for path in (project / "where").iterdir() if path.name != "waiting"]
    workers = {path.name.partition("-")[0] for path in (project / "where").iterdir()} - {"waiting"}
    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert workers <= {"gw0", "gw1"}
    assert nothing_is_left(project)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_cut_short_leaves_nothing(
    project: Path, environment: dict[str, str], number: signal.Signals
) -> None:
    inner = run(project, environment | {"WAIT": "1"}, "-k", "waits")
    waiting = project / "where" / "waiting"
    assert processes.wait_until(waiting.exists, timeout_s=TIMEOUT_S), (project / "output").read_text()
    keeper = json.loads((Path(waiting.read_text()) / "valkey" / "address.json").read_text())["pid"]
    assert processes.alive(keeper)

    inner.send_signal(number)
    inner.wait(TIMEOUT_S)

    assert processes.wait_until(lambda: not processes.alive(keeper), timeout_s=TIMEOUT_S)
    assert processes.wait_until(lambda: nothing_is_left(project), timeout_s=TIMEOUT_S)


def test_a_run_without_infrastructure_starts_nothing(project: Path, environment: dict[str, str]) -> None:
    (project / "test_inner.py").write_text("def test_nothing():\n    pass\n")

    inner = run(project, environment)

    assert inner.wait(TIMEOUT_S) == 0, (project / "output").read_text()
    assert nothing_is_left(project)


def nothing_is_left(project: Path) -> bool:
    """No run folder, and no process that names the project's folder."""
    assert tempfile.gettempdir() != str(project / "tmp")
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return not list((project / "tmp").glob("ibora-tests-*")) and f"{project}/tmp" not in running
