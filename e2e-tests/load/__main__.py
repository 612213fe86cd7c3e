"""`python -m load [--only PREFIX]`: starts a stack of its own, measures, prints the table, writes the report."""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from devstack import stack as stacks
from load.bench import Bench
from load.edge import gateway_pass_through
from load.figure import Figure, Measured, measured, table, write
from load.ledger import ledger_posting
from load.messages import consume_throughput, publish_latency, relay_throughput
from load.rides import rides_a_day
from simulator.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"LIMITS": "relaxed", "INFLIGHT_CAP": "4", "LOG_LEVEL": "WARNING"}

# The prefix of each measurement's figures → the measurement.
MEASUREMENTS: dict[str, Callable[[Bench], Awaitable[list[Figure]]]] = {
    "relay": relay_throughput,
    "consume": consume_throughput,
    "publish": publish_latency,
    "ledger": ledger_posting,
    "gateway": gateway_pass_through,
    "rides": rides_a_day,
}


async def measure(stack: Stack, *, only: str) -> list[Measured]:
    chosen = [name for name in MEASUREMENTS if name.startswith(only) or only.startswith(name)]
    results: list[Measured] = []
    for name in chosen:
        print(f"▸ {name} (load average {os.getloadavg()[0]:.2f})", flush=True)
        figures = [measured(figure) for figure in await MEASUREMENTS[name](Bench(stack))]
        results += [figure for figure in figures if figure.name.startswith(only)]
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", default="", help="figures whose names start with this")
    only: str = parser.parse_args(arguments).only
    folder = ROOT / ".local" / f"bench-{os.getpid()}"
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        if not stacks.up(folder, say=print, owner_pid=os.getpid()):
            return 1
        results = asyncio.run(measure(Stack.load(folder / "stack.json"), only=only))
    finally:
        stacks.down(folder)
        shutil.rmtree(folder, ignore_errors=True)
    if not results:
        print(f"no figure's name starts with {only!r}")
        return 2
    print(table(results))
    write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
