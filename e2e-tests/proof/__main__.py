"""A process of its own: `python -m proof --stack FILE`, JSON on standard output, exit code 1 when a check fails."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from proof.checks import CHECKS, Case, Check
from proof.evidence import bank_state, settled
from proof.figures import counted
from simulator.stack import Stack

SETTLE_S = 30.0


async def prove(stack: Stack, *, settle_s: float = SETTLE_S, race: str | None = None) -> dict[str, Any]:
    """Figures and checks, once nothing is under way any more."""
    left = await settled(stack, timeout_s=settle_s)
    case = Case(stack=stack, bank=await bank_state(stack), waiting=left, race=race)
    return {**await counted(case), "checks": [await _run(check, case) for check in CHECKS]}


async def _run(check: Check, case: Case) -> dict[str, Any]:
    try:
        finding = await check(case)
    except Exception as error:  # noqa: BLE001  # a check that cannot run has found something too
        return {"name": check.__name__, "ok": False, "detail": f"{type(error).__name__}: {error}"}
    return {"name": check.__name__, "ok": finding.ok, "detail": finding.detail}


def main() -> int:
    parser = argparse.ArgumentParser(prog="proof", description=__doc__)
    parser.add_argument("--stack", type=Path, required=True, help="stack.json")
    parser.add_argument("--settle", type=float, default=SETTLE_S, help="seconds to wait for the last message")
    parser.add_argument("--race", help="the id of a ride that several drivers accepted at once")
    parser.add_argument("--text", action="store_true", help="for people")
    options = parser.parse_args()
    found = asyncio.run(prove(Stack.load(options.stack), settle_s=options.settle, race=options.race))
    if options.text:
        for check in found["checks"]:
            print(f"{'✓' if check['ok'] else '✗'} {check['name']} · {check['detail']}")
    else:
        json.dump(found, sys.stdout, ensure_ascii=False)
    return 0 if all(check["ok"] for check in found["checks"]) else 1


if __name__ == "__main__":
    sys.exit(main())
