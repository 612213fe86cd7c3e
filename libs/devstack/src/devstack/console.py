"""What every `ibora` command shares: which stack is meant, and a line for the one who asked."""

import argparse
from pathlib import Path

from devstack import stack


def say(line: str) -> None:
    print(line, flush=True)


def folder_of(options: argparse.Namespace) -> Path:
    """The folder of the stack that the command line names."""
    return Path(options.folder).resolve() if options.folder else stack.folder_of(options.name)
