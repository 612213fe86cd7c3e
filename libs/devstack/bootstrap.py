#!/usr/bin/env python3
"""Make the virtual environment: locked dependencies, our source folders on its path, our commands in its bin.

Needs Python 3.11+ only. Our packages are put on the path by one `.pth` file rather than installed, so that a
change is live at once and nothing has to be built.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / ".ibora-ready"
# Through /bin/sh, because a `#!` line takes neither a space nor more than 127 characters in the interpreter's
# path.
COMMAND = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
'''
import sys
from {module} import {function}
sys.exit({function}())
"""


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts us may have an older one
        sys.exit(f"Ibora needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    with only_one():
        wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
        if not (STAMP.exists() and STAMP.read_text() == wanted and usable()):
            install()
            STAMP.write_text(wanted)
        link()
    return 0


@contextmanager
def only_one() -> Iterator[None]:
    """Two `make`s in one checkout take turns."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "bootstrap.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def usable() -> bool:
    """Whether the environment's Python still runs, and is the version that it was made for."""
    python = VENV / "bin" / "python"
    if not python.exists():
        return False
    asked = subprocess.run(
        [str(python), "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
    )
    return asked.returncode == 0 and asked.stdout.strip() == sys.version.strip()


def install() -> None:
    """Install the locked dependencies; pip checks every hash."""
    started = time.monotonic()
    print("▸ making the virtual environment (once, about a minute and a half)", flush=True)
    if not usable():
        create()
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--no-input", "--require-hashes", "--no-deps", "-r", str(LOCK)]
    with signs_of_life(started):
        done = subprocess.run(command, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}, check=False)
    if done.returncode:
        sys.exit(
            "✗ pip could not install the dependencies (see above); what it fetched is kept, so try again"
        )
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)


def create() -> None:
    if VENV.exists():
        shutil.rmtree(VENV)
    try:
        venv.create(VENV, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(
            f"✗ {sys.executable} cannot make a virtual environment with pip. "
            "On Debian and Ubuntu: apt install python3-venv"
        )


@contextmanager
def signs_of_life(started: float) -> Iterator[None]:
    """Say every quarter of a minute that we are still at it."""
    done = threading.Event()

    def talk() -> None:
        while not done.wait(15):
            print(f"  … installing, {time.monotonic() - started:.0f} s so far", flush=True)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def link() -> None:
    """Put our source folders on the path and write a command for each entry point."""
    projects = sorted([*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")])
    folders = [
        folder for p in projects for folder in (p.parent / "src", p.parent / "tests") if folder.is_dir()
    ]
    folders.append(ROOT / "e2e-tests")
    site = next((VENV / "lib").glob("python3*/site-packages"))
    replace(site / "ibora.pth", "".join(f"{folder}\n" for folder in folders), mode=0o644)
    for project in projects:
        for name, module, function in scripts(project.read_text()):
            command = COMMAND.format(python=VENV / "bin" / "python", module=module, function=function)
            replace(VENV / "bin" / name, command, mode=0o755)


def scripts(pyproject: str) -> list[tuple[str, str, str]]:
    """(command, module, function) of the [project.scripts] table."""
    table = re.search(r"^\[project\.scripts\]\n(.*?)(?=^\[|\Z)", pyproject, re.MULTILINE | re.DOTALL)
    return re.findall(r'^([\w-]+)\s*=\s*"([\w.]+):(\w+)"', table.group(1), re.MULTILINE) if table else []


def replace(path: Path, text: str, *, mode: int) -> None:
    """Write a file at once, and only when it changes: programs may be reading it."""
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text)
    draft.chmod(mode)
    draft.replace(path)


if __name__ == "__main__":
    sys.exit(main())
