"""`make check`: every check that needs no infrastructure, one line each, and the output of what failed."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from devstack import folders

_ROOT = folders.ROOT
DEPLOY = ("deploy/deploy_checks", "deploy/docker", "deploy/tools")


def checks() -> dict[str, list[str]]:
    """The command of each check."""
    python = [sys.executable, "-m"]
    sources = [str(path.relative_to(_ROOT)) for path in sorted(_ROOT.glob("*/*/src"))]
    return {
        "format": [*python, "ruff", "format", "--check", "--quiet", "."],
        "lint": [*python, "ruff", "check", "--quiet", "."],
        "types": [*python, "mypy", *sources, "e2e-tests", *DEPLOY],
        "import contracts": [
            sys.executable,
            str(Path(sys.executable).with_name("lint-imports")),
            "--no-cache",
        ],
        "repository rules": [*python, "pytest", "-q", "libs/testkit/tests/unit"],
        "schemas and event gate": [*python, "devstack.schemas", "--check"],
        "deployment": [*python, "deploy_checks"],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    wanted = list(sys.argv[1:] if arguments is None else arguments)
    failed = [
        name
        for name, command in checks().items()
        if not wanted or name in wanted
        if not passes(name, command)
    ]
    print(f"✗ {', '.join(failed)}" if failed else "✓ all", flush=True)
    return 1 if failed else 0


def passes(name: str, command: list[str]) -> bool:
    """Run one; print its line, and what it said when it failed."""
    started = time.monotonic()
    path = os.pathsep.join(filter(None, [str(_ROOT / "deploy"), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command,
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    mark = "✗" if done.returncode else "✓"
    print(f"{mark} {name:<24} {time.monotonic() - started:5.1f} s", flush=True)
    if done.returncode:
        print((done.stdout + done.stderr).strip(), flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
