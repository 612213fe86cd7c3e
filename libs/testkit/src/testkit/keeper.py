"""Keeps one part of the tests' infrastructure: `python -m testkit.keeper PART FOLDER OWNER_PID`.

Starts a container or the embedded part, writes FOLDER/address.json, and stays until SIGTERM or until its
owner, the process that runs the tests, is gone.
"""

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from devstack import processes
from devstack.parts import EmbeddedKafka, EmbeddedPostgres, EmbeddedValkey
from testkit import containers

_TEST_POSTGRES = {
    "max_connections": "500",
    "shared_buffers": "256MB",
    # A test's data may vanish with the machine; a commit then costs no disk.
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "10min",
    "max_wal_size": "2GB",
}


class Part(Protocol):
    """Something started, with an address, that can be stopped."""

    def stop(self) -> None: ...


def main(part: str, folder: Path, owner_pid: int) -> int:
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    mark = processes.started_at(owner_pid)
    orphaned = False
    running, address = start(part, folder)
    try:
        publish(folder / "address.json", {"address": address, "pid": os.getpid()})
        while not over.wait(0.5):
            if not processes.alive(owner_pid) or processes.started_at(owner_pid) != mark:
                orphaned = True
                break
    finally:
        running.stop()
    if orphaned:
        # Nobody else is left to tidy the run's folder up.
        shutil.rmtree(folder.parent, ignore_errors=True)
    return 0


def start(part: str, folder: Path) -> tuple[Part, str]:
    """A container when Docker answers and has the image, the embedded part otherwise."""
    return containers.start(part) or _EMBEDDED[part](folder)


def publish(path: Path, content: dict[str, object]) -> None:
    """Write a file so that a reader sees all of it or none."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.rename(path)


class _Destroyed:
    """A part whose data goes when it stops."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    def stop(self) -> None:
        self._stop()


def _postgres(folder: Path) -> tuple[Part, str]:
    postgres = EmbeddedPostgres(folder / "postgres", settings=_TEST_POSTGRES)
    _started(postgres)
    return _Destroyed(postgres.destroy), postgres.url


def _kafka(folder: Path) -> tuple[Part, str]:
    kafka = EmbeddedKafka(folder / "kafka")
    _started(kafka)
    return _Destroyed(lambda: _discard(kafka)), kafka.bootstrap


def _started(part: EmbeddedPostgres | EmbeddedKafka) -> None:
    try:
        part.start()
    except BaseException:
        part.destroy()
        raise


def _discard(kafka: EmbeddedKafka) -> None:
    # SIGKILL spares the orderly shutdown of a broker that nobody will start again.
    kafka.kill()
    kafka.destroy()


def _valkey(folder: Path) -> tuple[Part, str]:
    valkey = EmbeddedValkey(folder / "valkey")
    valkey.start()
    return valkey, valkey.url


_EMBEDDED: dict[str, Callable[[Path], tuple[Part, str]]] = {
    "postgres": _postgres,
    "kafka": _kafka,
    "valkey": _valkey,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
