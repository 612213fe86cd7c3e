"""`python -m mutants [--only TEXT] [--page] [--show]`: exit code 1 when a guard's removal goes unnoticed."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from time import monotonic

from mutants import page
from mutants.arena import Arena, Outcome, Verdict
from mutants.mutant import Mutant, catalog
from testkit.infrastructure import Infrastructure, stop_all

PARALLEL = 2
BASELINE_S = 900.0
PARTS = {"postgres": "IBORA_TEST_POSTGRES", "kafka": "IBORA_TEST_KAFKA", "valkey": "IBORA_TEST_VALKEY"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One mutant before its tests."""

    mutant: Mutant
    outcome: Outcome
    seconds: float

    @property
    def killed(self) -> bool:
        return all(verdict is Verdict.FAILED for verdict in self.outcome.verdicts.values())


@contextmanager
def parts(folder: Path) -> Iterator[Mapping[str, str]]:
    """Addresses of Postgres, Kafka and Valkey: started once for all trials unless the environment names them."""
    infrastructure = Infrastructure(folder, owner_pid=os.getpid())
    folder.mkdir()
    try:
        yield {variable: getattr(infrastructure, part) for part, variable in PARTS.items()}
    finally:
        stop_all(folder)


def failing_anyway(arena: Arena, mutants: Sequence[Mutant]) -> frozenset[str]:
    """Tests that do not pass while every guard is there: they judge nothing."""
    tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.killed_by))
    outcome = arena.run(tests, timeout_s=BASELINE_S)
    failing = [test for test, verdict in outcome.verdicts.items() if verdict is not Verdict.PASSED]
    if failing:
        print(outcome.output)
        print("these do not pass on the sources as they are:", *failing, sep="\n  ")
    return frozenset(failing)


def try_all(arenas: Sequence[Arena], mutants: Sequence[Mutant]) -> Iterator[Trial]:
    """Each mutant in whichever copy is free."""
    free: SimpleQueue[Arena] = SimpleQueue()
    for arena in arenas:
        free.put(arena)

    def attempt(mutant: Mutant) -> Trial:
        arena, started = free.get(), monotonic()
        try:
            with arena.mutated(mutant):
                outcome = arena.run(mutant.killed_by)
        finally:
            free.put(arena)
        return Trial(mutant=mutant, outcome=outcome, seconds=monotonic() - started)

    with ThreadPoolExecutor(len(arenas)) as pool:
        yield from pool.map(attempt, mutants)


def tell(trial: Trial, *, show: bool) -> None:
    mark = "✓ killed  " if trial.killed else "✗ SURVIVED"
    print(f"{mark} {trial.mutant.name} ({trial.seconds:.0f} s)", flush=True)
    for test, verdict in trial.outcome.verdicts.items():
        if verdict is not Verdict.FAILED:
            print(f"           {verdict}: {test}")
    if show or not trial.killed:
        print(trial.outcome.output[-4000:])


def judge(mutants: Sequence[Mutant], *, show: bool) -> int:
    folder = Path(tempfile.mkdtemp(prefix="ibora-mutants-"))
    started = monotonic()
    try:
        with parts(folder / "parts") as addresses:
            arenas = [Arena(folder / str(n), addresses=addresses) for n in range(min(PARALLEL, len(mutants)))]
            failing = failing_anyway(arenas[0], mutants)
            fit = [mutant for mutant in mutants if failing.isdisjoint(mutant.killed_by)]
            survivors = 0
            for trial in try_all(arenas, fit):
                tell(trial, show=show)
                survivors += not trial.killed
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    unjudged = len(mutants) - len(fit)
    print(
        f"{len(mutants)} mutants: {len(fit) - survivors} killed, {survivors} survived, {unjudged} not judged"
        f" ({monotonic() - started:.0f} s)"
    )
    return 1 if survivors or unjudged else 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose names contain this")
    parser.add_argument("--page", action="store_true", help="write docs/mutants.md instead")
    parser.add_argument("--show", action="store_true", help="print what the tests said of every mutant")
    options = parser.parse_args(arguments)
    if options.page:
        print(page.write(catalog()))
        return 0
    chosen = [mutant for mutant in catalog() if options.only in mutant.name]
    if not chosen:
        print(f"no mutant's name contains {options.only!r}")
        return 2
    return judge(chosen, show=options.show)


if __name__ == "__main__":
    sys.exit(main())
