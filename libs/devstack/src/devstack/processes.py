"""Child processes: started on a leash, watched, stopped for certain."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

_LEASH = Path(__file__).with_name("leash.py")


class DidNotStart(Exception):
    """A process ended, or stayed silent for too long; the message holds the end of its log."""


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    uid: int | None = None,
    leashed: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, its output appended to `log`.

    Leashed, it dies with the *thread* that called (a rule of the kernel's), so call from a thread that lives
    long. `uid` needs root.
    """
    words = [str(word) for word in command]
    if leashed or uid is not None:
        words = leash(words, uid=uid)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if env is None else env),
            cwd=cwd,
            start_new_session=True,
        )


def leash(command: Sequence[str], *, uid: int | None = None) -> list[str]:
    """The command, run so that it dies with this process and, when asked, as another user."""
    user = "-" if uid is None else str(uid)
    return [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), user, *command]


class Child(Protocol):
    """What `stop` needs of a child: a Popen, or a fork of ours."""

    def poll(self) -> int | None: ...

    def send_signal(self, number: int, /) -> None: ...

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


def stop(process: Child, *, with_signal: int = signal.SIGTERM, timeout_s: float = 10) -> None:
    """Ask a child to end, wait, and kill it when it does not."""
    if process.poll() is None:
        process.send_signal(with_signal)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def stop_pid(pid: int, *, with_signal: int = signal.SIGTERM, timeout_s: float = 15) -> bool:
    """Ask a process that is not our child to end; False when it had to be killed."""
    if not alive(pid):
        return True
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, with_signal)
    if wait_until(lambda: not alive(pid), timeout_s=timeout_s):
        return True
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pid), timeout_s=5)
    return False


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _state(pid) not in {"Z", "X"}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def started_at(pid: int) -> str:
    """A mark of this very process, so that a recycled pid is not taken for it ("" without /proc)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def wait_until(done: Callable[[], bool], *, timeout_s: float, every_s: float = 0.05) -> bool:
    """Poll a condition; False when the time is over."""
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def wait_ready(
    process: subprocess.Popen[bytes], ready: Callable[[], bool], *, name: str, log: Path, timeout_s: float
) -> None:
    """Wait until `ready` says yes; DidNotStart when the process ends first or the time is over."""
    wait_until(lambda: process.poll() is not None or ready(), timeout_s=timeout_s)
    if process.poll() is not None:
        raise DidNotStart(f"{name} ended with {process.returncode}:\n{tail(log)}")
    if not ready():
        raise DidNotStart(f"{name} was not ready after {timeout_s:.0f} s:\n{tail(log)}")


def tail(log: Path, *, lines: int = 20) -> str:
    """The last lines of a log, which may not exist."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
