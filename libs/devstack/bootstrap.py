#!/usr/bin/env python3
"""Make the virtual environment: locked dependencies, our source folders on its path, our commands in its bin.

Needs Python 3.11+ only. Our packages are put on the path by one `.pth` file rather than installed, so that a
change is live at once and nothing has to be built.
"""

import hashlib
import os
import re
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / ".ibora-ready"
COMMAND = """#!{python}
import sys
from {module} import {function}
sys.exit({function}())
"""


def main() -> int:
    if sys.version_info < (3, 11):
        sys.exit(f"Ibora needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if not (STAMP.exists() and STAMP.read_text() == wanted):
        install()
    link()
    STAMP.write_text(wanted)
    return 0


def install() -> None:
    """Install the locked dependencies; pip checks every hash."""
    started = time.monotonic()
    print("▸ making the virtual environment (once, about a minute and a half)", flush=True)
    if not (VENV / "bin" / "python").exists():
        venv.create(VENV, with_pip=True, clear=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(LOCK)], check=True)
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)


def link() -> None:
    """Put our source folders on the path and write a command for each entry point."""
    projects = sorted([*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")])
    folders = [folder for p in projects for folder in (p.parent / "src", p.parent / "tests") if folder.is_dir()]
    folders.append(ROOT / "e2e-tests")
    site = next((VENV / "lib").glob("python3*/site-packages"))
    (site / "ibora.pth").write_text("".join(f"{folder}\n" for folder in folders))
    for project in projects:
        for name, module, function in scripts(project.read_text()):
            write_command(VENV / "bin" / name, module=module, function=function)


def scripts(pyproject: str) -> list[tuple[str, str, str]]:
    """(command, module, function) of the [project.scripts] table."""
    table = re.search(r"^\[project\.scripts\]\n(.*?)(?=^\[|\Z)", pyproject, re.M | re.S)
    return re.findall(r'^([\w-]+)\s*=\s*"([\w.]+):(\w+)"', table.group(1), re.M) if table else []


def write_command(path: Path, *, module: str, function: str) -> None:
    path.write_text(COMMAND.format(python=VENV / "bin" / "python", module=module, function=function))
    os.chmod(path, 0o755)


if __name__ == "__main__":
    sys.exit(main())
