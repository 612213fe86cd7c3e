"""A whole small stack: real parts, fake services."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fake_services import DOOR, FAKE, broken_command

from devstack import processes
from devstack.files import write_json
from devstack.plan import Plan
from devstack.supervise import wipe
from devstack.supervisor import Supervisor

Start = Callable[..., subprocess.Popen[str]]
TIMEOUT_S = 60

SCRIPT = textwrap.dedent("""
    import sys
    from pathlib import Path
    from devstack.plan import Plan
    from devstack.supervisor import Supervisor
    from fake_services import DOOR, FAKE, fake_command

    plan = Plan(folder=Path(sys.argv[1]), services=(FAKE, DOOR))
    Supervisor(plan, command=fake_command, owner_pid=int(sys.argv[2])).run()
""")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a supervisor in a process of its own and wait until its stack is ready."""
    started: list[tuple[Path, subprocess.Popen[str]]] = []

    def begin(name: str, *, owner: int | None = None) -> subprocess.Popen[str]:
        folder = tmp_path / name
        command = [sys.executable, "-c", SCRIPT, str(folder), str(owner or os.getpid())]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append((folder, process))
        processes.wait_until(
            lambda: (folder / "stack.json").exists() or process.poll() is not None, timeout_s=TIMEOUT_S
        )
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        return process

    yield begin
    for folder, process in started:
        if process.poll() is None:
            process.terminate()
        process.wait(TIMEOUT_S)
        if process.stdout:
            process.stdout.close()
        wipe(folder)


def test_a_stack_comes_up_heals_and_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    supervisor = start("one")
    folder = tmp_path / "one"
    said = described(folder)

    assert set(said["pids"]) == {"postgres", "kafka", "valkey", "identity", "gateway"}
    assert all(processes.alive(pid) for pid in said["pids"].values())
    assert served(said["gateway"])

    for name in ("gateway", "valkey", "postgres"):
        kill_and_wait(folder, name)
    assert processes.wait_until(lambda: served(described(folder)["gateway"]), timeout_s=TIMEOUT_S)

    pids = described(folder)["pids"].values()
    supervisor.terminate()
    supervisor.wait(TIMEOUT_S)
    assert not (folder / "stack.json").exists()
    assert not [pid for pid in pids if processes.alive(pid)]


def test_each_service_enters_its_own_database_only(start: Start, tmp_path: Path) -> None:
    start("one")
    said = described(tmp_path / "one")
    own = said["postgres"]["identity"]

    async def look() -> None:
        connection = await asyncpg.connect(own)
        assert await connection.fetchval("SELECT current_database()") == "identity"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE mine (id int)")
        await connection.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(own.removesuffix("/identity") + "/postgres")

    asyncio.run(look())


def test_two_stacks_run_at_once_and_a_killed_one_takes_everything_with_it(
    start: Start, tmp_path: Path
) -> None:
    first = start("one")
    start("two")
    one, two = described(tmp_path / "one"), described(tmp_path / "two")

    for key in ("gateway", "kafka", "valkey", "postgres_admin", "payment_webhook"):
        assert one[key] != two[key]

    first.kill()
    first.wait()
    pids = one["pids"].values()
    assert processes.wait_until(lambda: not any(map(processes.alive, pids)), timeout_s=TIMEOUT_S)
    assert all(processes.alive(pid) for pid in two["pids"].values())


def test_a_service_that_somebody_develops_is_lent_and_taken_back(start: Start, tmp_path: Path) -> None:
    start("one")
    folder = tmp_path / "one"
    before = described(folder)["pids"]["gateway"]
    held = folder / "held" / "gateway"
    developer = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        write_json(held, {"holder": developer.pid, "pid": developer.pid})
        assert processes.wait_until(
            lambda: described(folder)["pids"]["gateway"] == developer.pid, timeout_s=TIMEOUT_S
        )
        assert not processes.alive(before)
    finally:
        developer.kill()
        developer.wait()

    assert processes.wait_until(lambda: served(described(folder)["gateway"]), timeout_s=TIMEOUT_S)
    assert not held.exists()


def test_a_stack_ends_when_its_owner_is_gone(start: Start, tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    supervisor = start("one", owner=owner.pid)
    pids = described(tmp_path / "one")["pids"].values()

    owner.kill()
    owner.wait()

    supervisor.wait(TIMEOUT_S)
    assert not any(map(processes.alive, pids))


def test_a_migration_that_fails_stops_everything_and_says_why(tmp_path: Path) -> None:
    said: list[str] = []
    plan = Plan(folder=tmp_path / "one", services=(FAKE, DOOR))
    supervisor = Supervisor(plan, command=broken_command, say=said.append)

    with pytest.raises(processes.DidNotStart, match="the migration is broken"):
        supervisor.run()

    parts = (supervisor.postgres, supervisor.kafka, supervisor.valkey)
    assert not any(part.running() for part in parts)
    assert said[-1] == "▸ stopped"
    wipe(plan.folder)


def described(folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((folder / "stack.json").read_text())
    return said


def served(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def kill_and_wait(folder: Path, name: str) -> None:
    """Kill one process and wait until stack.json names a new one that lives."""
    old = described(folder)["pids"][name]
    os.kill(old, signal.SIGKILL)

    def replaced() -> bool:
        new = described(folder)["pids"].get(name)
        return new is not None and new != old and processes.alive(new)

    assert processes.wait_until(replaced, timeout_s=TIMEOUT_S), f"{name} was not started again"
