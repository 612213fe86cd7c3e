"""`python -m load [--only PREFIX]`: starts what is needed, measures, prints the table, writes the report."""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import uvloop

from devstack import stack as stacks
from load import books, edge, inbox, journey, outbox, payments
from load.figure import Figure, Measured, measured, table, write
from load.parts import Parts, running_parts
from simulator.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "LIMITS": "relaxed",
    "INFLIGHT_CAP": "4",
    "LOG_LEVEL": "WARNING",
    "UNPAID_RIDE_BLOCKS": "false",  # rides are driven ahead and paid at a pace afterwards
}
X = TypeVar("X")
Measurement = Callable[[X], Awaitable[list[Figure]]]

# The figures of each measurement, and how they are got: on Postgres and Kafka alone, or on the whole stack.
ON_PARTS: Mapping[str, Measurement[Parts]] = {
    "outbox.drain": outbox.drain,
    "outbox.latency_p99_ms": outbox.latency,
    "outbox.commit_overhead": outbox.commit_overhead,
    "inbox.consume": inbox.consume,
    "ledger.": books.posting,
}
ON_STACK: Mapping[str, Measurement[Stack]] = {
    "edge.": edge.pass_through,
    "journey.": journey.rides,
    "payment.webhook": payments.webhooks,
    "payment.confirm": payments.confirmations,
}


def chosen(measurements: Iterable[str], *, only: str) -> list[str]:
    """Those that give a figure whose name starts with `only`."""
    return [name for name in measurements if name.startswith(only) or only.startswith(name)]


def run(name: str, work: Awaitable[list[Figure]], *, only: str) -> list[Measured]:
    print(f"▸ {name} (load average {os.getloadavg()[0]:.2f})", flush=True)

    async def awaited() -> list[Figure]:
        return await work

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(awaited())
    return [measured(figure) for figure in figures if figure.name.startswith(only)]


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        if not stacks.up(folder, say=print, owner_pid=os.getpid()):
            raise SystemExit(f"the stack did not come up; its logs are in {folder / 'logs'}")
        yield Stack.load(folder / "stack.json")
    finally:
        stacks.down(folder)


def measure(folder: Path, *, only: str) -> list[Measured]:
    results: list[Measured] = []
    if names := chosen(ON_PARTS, only=only):
        with running_parts(folder / "parts") as parts:
            for name in names:
                results += run(name, ON_PARTS[name](parts), only=only)
    if names := chosen(ON_STACK, only=only):
        with running_stack(folder / "stack") as stack:
            for name in names:
                results += run(name, ON_STACK[name](stack), only=only)
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", default="", help="figures whose names start with this")
    only: str = parser.parse_args(arguments).only
    folder = ROOT / ".local" / f"bench-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        results = measure(folder, only=only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not results:
        print(f"no figure's name starts with {only!r}")
        return 2
    print(table(results))
    write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
