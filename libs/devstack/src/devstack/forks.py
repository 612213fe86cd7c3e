"""Services as forks of a process that has imported the libraries already.

Nine interpreters that each import FastAPI, SQLAlchemy and aiokafka cost a laptop's two cores most of a start.
A fork costs milliseconds and shares the memory. Only for the first start of a stack: whoever starts a service
again wants the code as it is then, and gets an interpreter of its own.
"""

import ctypes
import gc
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

LIBRARIES: Final = ("contracts.registry", "efi", "messaging", "storage.migrations", "telemetry", "web")
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_POLL_S: Final = 0.02


class Forked:
    """A child, with as much of `subprocess.Popen` as stopping and watching it needs."""

    def __init__(self, pid: int, *, gate: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._gate = gate

    def go(self) -> None:
        """Let the service run: until now it has only been imported."""
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
                self.go()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(_POLL_S)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def preload() -> None:
    """Import what every service imports."""
    for name in LIBRARIES:
        importlib.import_module(name)


def possible() -> bool:
    """A fork beside threads, or without the kernel's death signal, is not safe."""
    return sys.platform == "linux" and threading.active_count() == 1


def fork(module: str, *, words: list[str], log: Path, env: Mapping[str, str]) -> Forked:
    """A child that imports `module`, waits for `go`, then ends with what its `cli` answers.

    `words` is its command line, the first of them its name. It dies with the thread that called.
    """
    read, write = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    gc.freeze()  # a collection in a child would copy every page that it marks
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(write)
        _live(module, words=words, log=log, env=env, gate=read, parent=parent)
    os.close(read)
    return Forked(pid, gate=write)


def _live(
    module: str, *, words: list[str], log: Path, env: Mapping[str, str], gate: int, parent: int
) -> NoReturn:
    """The child's whole life: it never returns into the parent's frames."""
    code = 1
    try:
        _leave_parent(log, parent=parent, name=words[0], keep=gate)
        os.environ.clear()
        os.environ.update(env)
        sys.argv = words
        cli = importlib.import_module(module).cli
        os.read(gate, 1)  # ends when the other end is closed
        os.close(gate)
        code = cli()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # nothing may unwind into the parent's code  # noqa: BLE001
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _leave_parent(log: Path, *, parent: int, name: str, keep: int) -> None:
    """Be as a program of its own: session, signals, output, and nothing of the parent's open."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_NAME, name.encode())
    if os.getppid() != parent:
        os._exit(1)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(output, 1)
    os.dup2(output, 2)
    # Covered, not closed: an object of the parent's that dies later must not close a descriptor of ours.
    for descriptor in {0, *_others(keep)} - {nothing}:
        os.dup2(nothing, descriptor, inheritable=False)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _others(keep: int) -> list[int]:
    """Every open descriptor but standard ones and `keep`."""
    numbers = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
    return [number for number in numbers if number > 2 and number != keep and _is_open(number)]


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
