"""The README's flow table (verb | door | nouns | facts published) and the code say the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEADER: Final = ("verb", "door", "nouns", "facts published")
_NOTHING: Final = frozenset({"", "-", "–", "—"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One row: a verb, where it is entered, what it touches, and the bare names of the facts it publishes."""

    verb: str
    door: str
    nouns: str
    facts: tuple[str, ...]


def flows(readme: Path) -> list[Flow]:
    """Every row of every table with that header; ValueError when there is none."""
    rows = list(_rows(readme.read_text().splitlines()))
    if not rows:
        raise ValueError(f"{readme}: no table with the header {' | '.join(HEADER)}")
    return rows


def differences(readme: Path, *, verbs: set[str], facts: set[str]) -> list[str]:
    """How the table and the code differ: `verbs` are the files, `facts` what the service may publish."""
    rows = flows(readme)
    named = [row.verb for row in rows]
    problems = [f"{verb} has a row but no file" for verb in sorted(set(named) - verbs)]
    problems += [f"{verb} has a file but no row" for verb in sorted(verbs - set(named))]
    problems += [
        f"{verb} has several rows" for verb in sorted({verb for verb in named if named.count(verb) > 1})
    ]
    problems += [
        f"{row.verb} publishes {fact}, which is no fact of this service"
        for row in rows
        for fact in row.facts
        if fact not in facts
    ]
    return [f"{readme.parent.name}/README.md: {problem}" for problem in problems]


def _rows(lines: list[str]) -> Iterator[Flow]:
    inside = False
    for line in lines:
        cells = _cells(line)
        if tuple(cell.lower() for cell in cells) == HEADER:
            inside = True
        elif not cells:
            inside = False
        elif inside and not re.fullmatch(r"[-: |]+", line.strip()):
            if len(cells) != len(HEADER):
                raise ValueError(f"a row of the flow table has {len(cells)} cells: {line}")
            verb, door, nouns, facts = cells
            yield Flow(verb=verb.strip("`"), door=door, nouns=nouns, facts=_facts(facts))


def _cells(line: str) -> list[str]:
    stripped = line.strip()
    if not (stripped.startswith("|") and stripped.endswith("|")):
        return []
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", stripped[1:-1])]


def _facts(cell: str) -> tuple[str, ...]:
    names = (name.strip().strip("`") for name in cell.split(","))
    return tuple(name for name in names if name not in _NOTHING)
