"""Processes: started, watched, stopped, and gone with their parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import processes

SLEEPER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]


def test_a_process_is_alive_until_it_is_stopped(tmp_path: Path) -> None:
    process = processes.start(SLEEPER, log=tmp_path / "log")

    assert processes.alive(process.pid)
    processes.stop(process)

    assert not processes.alive(process.pid)


def test_a_process_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    process = processes.start([sys.executable, "-c", stubborn], log=tmp_path / "log")
    processes.wait_ready(
        process,
        lambda: "up" in processes.tail(tmp_path / "log"),
        name="it",
        log=tmp_path / "log",
        timeout_s=10,
    )

    processes.stop(process, timeout_s=0.1)

    assert process.returncode == -signal.SIGKILL


def test_a_child_dies_with_whoever_started_it(tmp_path: Path) -> None:
    starter = f"""
import sys, signal
from pathlib import Path
from devstack import processes
child = processes.start([sys.executable, "-c", "import signal; signal.pause()"], log=Path({str(tmp_path / "log")!r}))
print(child.pid, flush=True)
signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert processes.alive(child)

        parent.kill()

    assert processes.wait_until(lambda: not processes.alive(child), timeout_s=10)


def test_a_process_that_ends_early_says_why(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = processes.start([sys.executable, "-c", "raise SystemExit('no disk')"], log=log)

    with pytest.raises(processes.DidNotStart, match="no disk"):
        processes.wait_ready(process, lambda: False, name="it", log=log, timeout_s=10)


def test_a_pid_has_a_mark_that_another_process_does_not_share(tmp_path: Path) -> None:
    process = processes.start(SLEEPER, log=tmp_path / "log")
    try:
        assert processes.started_at(process.pid) == processes.started_at(process.pid)
        assert processes.started_at(process.pid) != processes.started_at(os.getpid())
    finally:
        processes.stop(process)


def test_nobody_has_a_pid_that_is_free() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert not processes.alive(process.pid)
    assert processes.stop_pid(process.pid)
