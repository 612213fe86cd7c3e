"""The registry of published revisions: files in `schemas/events`, and the list of their hashes.

`<fact>/<major>/<revision>.json` is the schema, `<revision>.golden.json` its samples. `SHA256SUMS` names every
published file and only grows; `RETIRED` names the types that nobody publishes any more.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from contracts.base import Fact
from devstack.schemas.fact_schema import Schema, fact_schema, promise
from devstack.schemas.samples import golden_samples

SUMS: Final = "SHA256SUMS"
RETIRED: Final = "RETIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One published revision of a fact."""

    number: int
    schema: Schema
    samples: list[Any]


@dataclass(frozen=True, slots=True)
class Registry:
    """The published revisions under `root` (`schemas/events`)."""

    root: Path

    def folder(self, fact: type[Fact]) -> Path:
        return self.root / fact.fact / str(fact.major)

    def revisions(self, fact: type[Fact]) -> list[Revision]:
        """Every published revision of this fact's major version, oldest first."""
        folder = self.folder(fact)
        numbers = sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal())
        return [_read(folder, number=number) for number in numbers]

    def types(self) -> set[str]:
        """The CloudEvents types that were ever published, but for the retired ones."""
        schemas = (json.loads(path.read_text()) for path in self.root.glob("*/*/1.json"))
        retired = self.root / RETIRED
        names = retired.read_text().split() if retired.exists() else []
        return {schema["x-type"] for schema in schemas} - set(names)

    def sums(self) -> dict[str, str]:
        """The SHA-256 of each published file by its path below the root, as listed."""
        listed = self.root / SUMS
        lines = listed.read_text().splitlines() if listed.exists() else []
        return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}

    def tampering(self) -> Iterator[str]:
        """What was changed, removed or slipped in since it was published."""
        listed = self.sums()
        present = {path.relative_to(self.root).as_posix(): path for path in self.root.rglob("*.json")}
        for name in sorted(listed.keys() - present.keys()):
            yield f"{name}: a published file is gone"
        for name, path in sorted(present.items()):
            if name not in listed:
                yield f"{name}: not in {SUMS}; only the generator adds revisions"
            elif listed[name] != digest_of(path):
                yield f"{name}: a published file was changed"

    def publish(self, facts: Sequence[type[Fact]]) -> list[str]:
        """Write the next revision of each fact whose promise changed; the paths written, below the root."""
        written = [name for fact in facts for name in self._publish(fact)]
        sums = self.sums() | {name: digest_of(self.root / name) for name in written}
        lines = [f"{digest}  {name}\n" for name, digest in sorted(sums.items())]
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / SUMS).write_text("".join(lines))
        return written

    def unpublished(self, facts: Sequence[type[Fact]]) -> list[type[Fact]]:
        """The facts whose promise differs from their last revision's, or that have none."""
        return [fact for fact in facts if self._changed(fact)]

    def _changed(self, fact: type[Fact]) -> bool:
        earlier = self.revisions(fact)
        return not earlier or promise(earlier[-1].schema) != promise(fact_schema(fact))

    def _publish(self, fact: type[Fact]) -> list[str]:
        if not self._changed(fact):
            return []
        folder, schema = self.folder(fact), fact_schema(fact)
        number = len(self.revisions(fact)) + 1
        folder.mkdir(parents=True, exist_ok=True)
        files = {f"{number}.json": schema, f"{number}.golden.json": golden_samples(schema)}
        for name, content in files.items():
            (folder / name).write_text(as_json(content))
        return [(folder / name).relative_to(self.root).as_posix() for name in files]


def digest_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def as_json(content: Any) -> str:
    """JSON for people: indented, UTF-8, one newline at the end."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _read(folder: Path, *, number: int) -> Revision:
    schema = json.loads((folder / f"{number}.json").read_text())
    golden = folder / f"{number}.golden.json"
    return Revision(
        number=number, schema=schema, samples=json.loads(golden.read_text()) if golden.exists() else []
    )
