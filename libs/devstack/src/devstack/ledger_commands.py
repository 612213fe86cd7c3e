"""`ibora ledger …`: the ledger's own command against the running stack."""

import argparse
import os
import subprocess
import sys
from pathlib import Path


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Everything after `ledger` belongs to the service's command: `verify`, `verify --anchor LINE`, …"""
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="…", help="as for `ledger`")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from devstack.console import folder_of

    command = [sys.executable, "-c", "import sys; from ledger.main import cli; sys.exit(cli())"]
    done = subprocess.run([*command, *options.arguments], env=environment(folder_of(options)), check=False)
    return done.returncode


def environment(folder: Path) -> dict[str, str]:
    """The stack's environment of the ledger; NotRunning when that folder has none."""
    from devstack import stack
    from devstack.files import read_json

    stack.described(folder)
    of_stack: dict[str, str] = read_json(folder / "services" / "ledger.json") or {}
    return {**os.environ, **of_stack}
