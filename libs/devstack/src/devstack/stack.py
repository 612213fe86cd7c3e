"""A stack seen from outside: is it up, bring it up, take it down, follow its logs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from devstack import folders, processes
from devstack.files import read_json

Say = Callable[[str], None]


class NotRunning(Exception):
    """No stack runs in the folder."""


def folder_of(name: str | None) -> Path:
    """`.local` for the one stack of most days, `.local/stacks/<name>` for another beside it."""
    given = os.environ.get("IBORA_STACK_FOLDER")
    if name:
        return folders.ROOT / ".local" / "stacks" / name
    return Path(given).resolve() if given else folders.ROOT / ".local"


def supervisor_pid(folder: Path) -> int | None:
    """The supervisor's pid while it runs."""
    said = read_json(folder / "supervisor.json")
    if not said or not processes.alive(said["pid"]):
        return None
    return int(said["pid"]) if processes.started_at(said["pid"]) == said["mark"] else None


def described(folder: Path) -> dict[str, Any]:
    """What the running stack says of itself; NotRunning when there is none."""
    said: dict[str, Any] | None = read_json(folder / "stack.json")
    if said is None or supervisor_pid(folder) is None:
        raise NotRunning(f"no stack runs in {folder}: start one with `make up`")
    return said


def up(
    folder: Path, *, say: Say, only: str = "", keep_data: bool = False, owner_pid: int | None = None
) -> bool:
    """Start a supervisor in the background, wait until the stack is ready; False when it did not come up."""
    if supervisor_pid(folder) is not None:
        say(f"the stack in {folder} is already up; `make down` first to start it with other settings")
        return wait_ready(folder, None, say=say)
    log = folder / "logs" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    (folder / "stack.json").unlink(missing_ok=True)
    options = ["--folder", str(folder), "--only", only]
    options += ["--keep-data"] if keep_data else []
    options += ["--owner", str(owner_pid)] if owner_pid else []
    command = [sys.executable, "-m", "devstack.supervise", *options]
    process = processes.start(command, log=log, cwd=folders.ROOT, leashed=False)
    try:
        return wait_ready(folder, process, say=say)
    except KeyboardInterrupt:
        processes.stop(process, timeout_s=30)
        raise
    finally:
        process.returncode = process.returncode or 0  # it is meant to outlive us; subprocess would warn


def wait_ready(folder: Path, process: "subprocess.Popen[bytes] | None", *, say: Say) -> bool:
    """Pass on what the supervisor says until stack.json is there; False when it ended before."""
    with (folder / "logs" / "supervisor.log").open() as log:
        while not (folder / "stack.json").exists():
            ended = process.poll() is not None if process else supervisor_pid(folder) is None
            _pass_on(log.read(), say)
            if ended:
                return False
            time.sleep(0.1)
        _pass_on(log.read(), say)
    return True


def down(folder: Path) -> bool:
    """Stop the stack and wait until everything of it is gone; False when none ran."""
    pid = supervisor_pid(folder)
    if pid is None:
        return False
    processes.stop_pid(pid, timeout_s=60)
    (folder / "stack.json").unlink(missing_ok=True)
    return True


def follow(folder: Path, *, names: Sequence[str], say: Say, lines: int = 20, forever: bool = True) -> None:
    """Print the end of the logs, then what is added, each line after its writer. Ends with the stack."""
    logs = {log.stem: log for log in _logs(folder) if not names or log.stem in names}
    width = max((len(name) for name in logs), default=0)
    places = {}
    for name, log in logs.items():
        for line in processes.tail(log, lines=lines).splitlines():
            say(f"{name:>{width}} │ {line}")
        places[name] = log.stat().st_size
    while forever and supervisor_pid(folder) is not None:
        for name, log in logs.items():
            added, places[name] = _added(log, places[name])
            _pass_on(added, partial(_labelled, say, f"{name:>{width}}"))
        time.sleep(0.2)


def summary(stack: dict[str, Any], folder: Path) -> list[str]:
    """Where to knock, for a person."""
    return [
        f"  gateway      {stack['gateway']}   (docs: {stack['gateway']}/docs)",
        f"  efi control  {stack['efi']['control']}",
        f"  webhook      {stack['payment_webhook']}",
        f"  kafka        {stack['kafka']}",
        f"  admin        {stack['admin']['login']} / {stack['admin']['password']}",
        f"  described in {folder / 'stack.json'}",
    ]


def _logs(folder: Path) -> list[Path]:
    return sorted([*(folder / "logs").glob("*.log"), *(folder / "data").glob("*/*.log")])


def _added(log: Path, place: int) -> tuple[str, int]:
    """Whole lines after `place`, and the place after them; from the start when the file was replaced."""
    try:
        with log.open("rb") as file:
            if log.stat().st_size < place:
                place = 0
            file.seek(place)
            text = file.read()
    except OSError:
        return "", place
    whole = text[: text.rfind(b"\n") + 1]
    return whole.decode(errors="replace"), place + len(whole)


def _labelled(say: Say, label: str, line: str) -> None:
    say(f"{label} │ {line}")


def _pass_on(text: str, say: Say) -> None:
    for line in text.splitlines():
        say(line)
