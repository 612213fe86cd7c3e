"""A service as a fork: a life of its own, its own output and environment, and no longer than its parent's."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from devstack import processes

SERVICE = textwrap.dedent("""
    import json, os, signal, sys, threading

    def cli():
        said = {"words": sys.argv, "greeting": os.environ.get("GREETING"), "inherited": os.environ.get("LEAK"),
                "session": os.getsid(0) == os.getpid(), "pid": os.getpid(),
                "term": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
                "secret": os.read(int(os.environ["FD"]), 10).decode()}
        print(json.dumps(said))
        if os.environ.get("STAY"):
            signal.pause()
        return 7
""")

PARENT = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from devstack import forks

    folder, stay = Path(sys.argv[1]), sys.argv[2]
    sys.path.insert(0, str(folder))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.environ["LEAK"] = "yes"
    (folder / "open").write_text("not yours")
    held = (folder / "open").open()
    env = {"GREETING": "oi", "STAY": stay, "FD": str(held.fileno())}
    child = forks.fork("pretend_service", words=["pretend", "all"], log=folder / "log", env=env)
    print(child.pid, flush=True)
    if "imports" in sys.argv:
        assert child.poll() is None
        assert (folder / "log").read_text() == "" if (folder / "log").exists() else True
    child.go()
    print(child.wait(30), flush=True)
""")


def parent_of(folder: Path, *, stay: str = "", service: str = SERVICE) -> "subprocess.Popen[str]":
    """A service that does not import may die before it is let go; one that does waits for that."""
    (folder / "pretend_service.py").write_text(service)
    words = [str(folder), stay, *(["imports"] if service == SERVICE else [])]
    return subprocess.Popen([sys.executable, "-c", PARENT, *words], stdout=subprocess.PIPE, text=True)


@pytest.fixture
def said(tmp_path: Path) -> dict[str, Any]:
    """What a service said that was forked, let run, and ended."""
    with parent_of(tmp_path) as parent:
        output, _ = parent.communicate(timeout=60)
    pid, code = output.split()
    found: dict[str, Any] = json.loads((tmp_path / "log").read_text())
    return found | {"code": int(code), "told": int(pid)}


def test_it_runs_the_services_command_with_its_own_words_and_environment(said: dict[str, Any]) -> None:
    assert said["words"] == ["pretend", "all"]
    assert (said["greeting"], said["inherited"]) == ("oi", None)
    assert said["pid"] == said["told"] != os.getpid()


def test_its_exit_code_is_the_commands(said: dict[str, Any]) -> None:
    assert said["code"] == 7


def test_it_inherits_no_signal_handler_no_session_and_no_open_file(said: dict[str, Any]) -> None:
    assert said["term"]
    assert said["session"]
    assert said["secret"] == ""


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with parent_of(tmp_path, stay="1") as parent:
        assert processes.wait_until(lambda: log.exists() and log.read_text().endswith("\n"), timeout_s=60)
        pid = json.loads(log.read_text())["pid"]
        assert processes.alive(pid)
        parent.kill()
    assert processes.wait_until(lambda: not processes.alive(pid), timeout_s=10)


def test_a_service_that_does_not_import_says_why_and_ends(tmp_path: Path) -> None:
    with parent_of(tmp_path, service="raise RuntimeError('half-written')") as parent:
        output, _ = parent.communicate(timeout=60)
    assert output.split()[1] == "1"
    assert "half-written" in (tmp_path / "log").read_text()
