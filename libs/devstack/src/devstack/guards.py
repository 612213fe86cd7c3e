"""One supervisor a folder, and signals that end it in good order."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from devstack import processes
from devstack.files import write_json


class Stopped(Exception):
    """Somebody asked for the end, or the owner is gone."""


class AlreadyRunning(Exception):
    """Another supervisor has this folder."""


@contextmanager
def only_supervisor(folder: Path) -> Iterator[None]:
    """Be the folder's only supervisor, and say who we are in supervisor.json."""
    with (folder / "supervisor.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(f"a stack already runs in {folder}") from None
        me = folder / "supervisor.json"
        write_json(me, {"pid": os.getpid(), "mark": processes.started_at(os.getpid())})
        try:
            yield
        finally:
            me.unlink(missing_ok=True)


@contextmanager
def signals_stop() -> Iterator[None]:
    """SIGTERM and SIGINT raise Stopped, once."""

    def stop(number: int, _frame: object) -> NoReturn:
        ignore_signals()
        raise Stopped(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """What stops a stack must not be stopped half-way."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
