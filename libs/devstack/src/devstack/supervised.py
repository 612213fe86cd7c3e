"""Something that must keep running: started, watched, started again when it dies."""

import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from devstack import forks, processes

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_CALM_S = 30.0


class Runnable(Protocol):
    """A part or a service."""

    @property
    def pid(self) -> int | None: ...

    def launch(self) -> None: ...

    def running(self) -> bool: ...

    def answers(self) -> bool: ...

    def stop(self) -> None: ...


class ServiceProcess:
    """A service's process, ready when its `/ready` answers 200."""

    def __init__(
        self, command: list[str], *, environment: Callable[[], dict[str, str]], ready_url: str, log: Path
    ) -> None:
        self._command = command
        self._environment = environment
        self._ready_url = ready_url
        self.log = log
        self._process: subprocess.Popen[bytes] | forks.Forked | None = None
        self._prepared: forks.Forked | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def prepare(self, module: str, *, words: list[str]) -> None:
        """Have the first `launch` let a fork of ours run, which imports `module` from now on."""
        self._process = self._prepared = forks.fork(
            module, words=words, log=self.log, env=self._environment()
        )

    def launch(self) -> None:
        prepared, self._prepared = self._prepared, None
        if prepared is not None and prepared.poll() is None:
            prepared.go()
        else:
            self._process = processes.start(self._command, log=self.log, env=self._environment())

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def answers(self) -> bool:
        return answers_ready(self._ready_url)

    def stop(self) -> None:
        if self._process:
            processes.stop(self._process, timeout_s=15)
            self._process = None

    def ask_to_stop(self) -> None:
        """Send SIGTERM without waiting, so that many stop at once."""
        if self._process and self._process.poll() is None:
            self._process.terminate()


class Supervised:
    """Keeps one runnable running. A short pause before each restart doubles while it keeps dying young."""

    def __init__(self, name: str, runnable: Runnable, *, say: Callable[[str], None]) -> None:
        self.name = name
        self.runnable = runnable
        self._say = say
        self._pause_s = _FIRST_PAUSE_S
        self._launched_at = 0.0
        self._restart_at: float | None = None
        self.resting = False
        """True while somebody else runs it (`ibora dev`): it is then neither started nor missed."""

    def launch(self) -> None:
        self._launched_at = time.monotonic()
        self._restart_at = None
        self.runnable.launch()

    def rest(self) -> None:
        """Stop it and leave it stopped."""
        self.resting = True
        self.runnable.stop()

    def resume(self) -> None:
        self.resting = False
        self.launch()

    def tick(self) -> None:
        """Look after it once."""
        if self.resting or self.runnable.running():
            return
        now = time.monotonic()
        if self._restart_at is None:
            self._note_death(now)
        elif now >= self._restart_at:
            self.launch()

    def _note_death(self, now: float) -> None:
        if now - self._launched_at > _CALM_S:
            self._pause_s = _FIRST_PAUSE_S
        self._say(f"✗ {self.name} died; starting it again in {self._pause_s:.1f} s")
        self._restart_at = now + self._pause_s
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)


def answers_ready(url: str) -> bool:
    """Whether GET answers 200 within a second."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 - our own loopback address
            return bool(response.status == 200)
    except OSError:
        return False
