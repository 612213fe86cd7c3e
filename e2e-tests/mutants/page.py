"""docs/mutants.md, written from the catalog."""

from collections.abc import Sequence
from pathlib import Path

from mutants.mutant import ROOT, Mutant

PAGE = ROOT / "docs" / "mutants.md"

HEAD = """# Mutants

The guards that the money rests on. `make test-mutants` takes each away in a copy of the sources and runs the
tests beside it: every one of them must fail, and must pass while the guard is there. A guard whose removal no test
notices is not a guard. Made from `e2e-tests/mutants/catalog.toml` (`.venv/bin/python -m mutants --page`); a test
checks that it is current, that each mutant still applies to exactly one place and that its tests exist.

| Mutant | Without it | Where | Killed by |
|---|---|---|---|
"""


def page(mutants: Sequence[Mutant]) -> str:
    return HEAD + "".join(map(_row, mutants))


def write(mutants: Sequence[Mutant]) -> Path:
    PAGE.write_text(page(mutants))
    return PAGE


def _row(mutant: Mutant) -> str:
    killers = "<br>".join(f"`{test.rpartition('/')[2]}`" for test in mutant.killed_by)
    return f"| {mutant.name.replace('_', ' ')} | {mutant.breaks} | `{mutant.file}` | {killers} |\n"
