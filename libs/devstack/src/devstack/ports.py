"""Free loopback ports that two stacks started together do not both take.

A port that was merely bound once may be taken before its user binds it. So each port handed out is also
claimed by a lock file in the machine's temporary folder, held open until this process ends.
"""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below the kernel's range for outgoing connections (32768 and up on Linux), so no client socket sits on them.
_LOWEST = 20_000
_HIGHEST = 32_000
_claims: dict[int, int] = {}


class NoFreePort(Exception):
    """Every port that was tried is taken."""


def free_port(*, preferred: int | None = None) -> int:
    """A TCP port of 127.0.0.1 that nobody listens on and no other stack has claimed; `preferred` first."""
    candidates = [preferred] if preferred else []
    candidates += [random.randint(_LOWEST, _HIGHEST) for _ in range(500)]
    for port in candidates:
        if is_free(port) and _claim(port):
            return port
    raise NoFreePort(f"no free port between {_LOWEST} and {_HIGHEST}")


def is_free(port: int) -> bool:
    """Whether 127.0.0.1:port can be bound right now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def release(port: int) -> None:
    """Give a claim back."""
    handle = _claims.pop(port, None)
    if handle is not None:
        os.close(handle)


def listening(port: int, *, host: str = "127.0.0.1") -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False


def _claim(port: int) -> bool:
    folder = Path(tempfile.gettempdir()) / f"ibora-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / str(port), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return False
    _claims[port] = handle
    return True
