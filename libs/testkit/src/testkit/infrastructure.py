"""Where Postgres, Kafka and Valkey are for this run of tests.

Addresses in the environment first, then containers, then the embedded parts. A part is started when first
asked for, once a run: whichever xdist worker asks first starts a keeper process (`testkit.keeper`), the
others read the address it wrote. The controller stops the keepers at the end, and a keeper that misses its
controller stops itself.
"""

import json
import os
import signal
import subprocess
import sys
import time
from functools import cached_property, partial
from pathlib import Path

from devstack import locks, processes

_START_S = 600  # the first start of all fetches Kafka's jars or pulls images


class Infrastructure:
    """Addresses, found or started on first use."""

    def __init__(self, run_folder: Path, *, owner_pid: int) -> None:
        self.run_folder = run_folder
        self._owner_pid = owner_pid

    @cached_property
    def postgres(self) -> str:
        """A superuser's DSN."""
        return os.environ.get("IBORA_TEST_POSTGRES") or self._kept("postgres")

    @cached_property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return os.environ.get("IBORA_TEST_KAFKA") or self._kept("kafka")

    @cached_property
    def valkey(self) -> str:
        """A URL without a database number."""
        return (os.environ.get("IBORA_TEST_VALKEY") or self._kept("valkey")).rstrip("/")

    @property
    def run_id(self) -> str:
        """Six letters that name this run in shared servers."""
        return self.run_folder.name[-6:]

    def _kept(self, part: str) -> str:
        folder = self.run_folder / part
        with locks.file_lock(self.run_folder / f"{part}.lock"):
            if not (folder / "address.json").exists():
                _start_keeper(part, folder, owner_pid=self._owner_pid)
        return str(json.loads((folder / "address.json").read_text())["address"])


def _start_keeper(part: str, folder: Path, *, owner_pid: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "keeper.log"
    with log.open("ab") as output:
        # Not a child of the worker for long: it must outlive a worker that crashes, and it watches the
        # controller.
        keeper = subprocess.Popen(
            [sys.executable, "-m", "testkit.keeper", part, str(folder), str(owner_pid)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    processes.wait_ready(
        keeper, (folder / "address.json").exists, name=f"{part} for the tests", log=log, timeout_s=_START_S
    )
    keeper.returncode = 0  # it is meant to outlive us; subprocess would warn about it


def stop_all(run_folder: Path) -> None:
    """Stop every keeper of the run and wait until each is gone."""
    pids = [int(json.loads(file.read_text())["pid"]) for file in run_folder.glob("*/address.json")]
    for pid in pids:
        if processes.alive(pid):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 30
    for pid in pids:
        if not processes.wait_until(partial(_gone, pid), timeout_s=max(0.1, deadline - time.monotonic())):
            os.kill(pid, signal.SIGKILL)  # its children die with it, being on the leash


def _gone(pid: int) -> bool:
    return not processes.alive(pid)
