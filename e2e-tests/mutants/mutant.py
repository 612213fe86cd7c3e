"""A guard that is taken away, and who notices: read from catalog.toml."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
CATALOG = Path(__file__).with_name("catalog.toml")


class DoesNotApply(Exception):
    """The text to be replaced is not in its file exactly once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`find` occurs once in `file` and becomes `replace`; each test of `killed_by` must then fail.

    `breaks` says what the guard protects, in the words of the person whose money it is.
    """

    name: str
    breaks: str
    file: str
    find: str
    replace: str
    killed_by: tuple[str, ...]

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        return cls(**{**entry, "killed_by": tuple(entry["killed_by"])})

    def applied(self, root: Path) -> str:
        """The file's text with the guard gone. Raises DoesNotApply."""
        text = (root / self.file).read_text()
        if (count := text.count(self.find)) != 1:
            raise DoesNotApply(f"{self.name}: its text occurs {count} times in {self.file}")
        return text.replace(self.find, self.replace)


def catalog() -> Sequence[Mutant]:
    """All mutants, in the order of their page."""
    return [Mutant.read(entry) for entry in tomllib.loads(CATALOG.read_text())["mutant"]]
