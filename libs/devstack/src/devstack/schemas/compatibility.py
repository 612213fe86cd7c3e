"""What may change in a fact within one major version: nothing but one more optional field.

Old consumers read new events and new consumers read old events, over all revisions, because the topic keeps
both (FULL_TRANSITIVE). So every field stays as required, as optional and as wide as it was.
"""

from collections.abc import Iterator
from typing import Any, Final

from devstack.schemas.fact_schema import Schema, promise

# Keywords that hold further schemas or lists, compared by their own rules; the others must be equal.
STRUCTURE: Final = frozenset(
    {"properties", "required", "items", "prefixItems", "anyOf", "enum", "x-known-values"}
)
NOTHING: Final = object()


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Each change from `old` to `new` that breaks a reader of either, as a sentence; none when compatible."""
    return list(_node(promise(old), promise(new), at=""))


def _node(old: Schema, new: Schema, *, at: str) -> Iterator[str]:
    yield from _keywords(old, new, at=at)
    yield from _properties(old, new, at=at)
    yield from _values(old, new, at=at)
    if "items" in old and "items" in new:
        yield from _node(old["items"], new["items"], at=f"{at}[]")
    for keyword in ("anyOf", "prefixItems"):
        yield from _branches(old.get(keyword, []), new.get(keyword, []), at=at)


def _keywords(old: Schema, new: Schema, *, at: str) -> Iterator[str]:
    """Type, format, pattern, bounds, default, topic and key: changing one changes the type or the meaning."""
    for keyword in sorted((old.keys() | new.keys()) - STRUCTURE):
        before, after = old.get(keyword, NOTHING), new.get(keyword, NOTHING)
        if before != after:
            yield f"{at or 'the fact'}: {keyword} {_shown(before)} became {_shown(after)}"
    for keyword in ("items", "x-known-values", "enum"):
        if (keyword in old) != (keyword in new):
            yield f"{at or 'the fact'}: {keyword} {'removed' if keyword in old else 'added'}"


def _properties(old: Schema, new: Schema, *, at: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed_after = set(old.get("required", [])), set(new.get("required", []))
    for name in sorted(before.keys() - after.keys()):
        yield f"{at}/{name}: removed (or renamed)"
    for name in sorted((after.keys() - before.keys()) & needed_after):
        yield f"{at}/{name}: added as required"
    for name in sorted(before.keys() & after.keys()):
        if (name in needed_before) != (name in needed_after):
            yield f"{at}/{name}: became {'optional' if name in needed_before else 'required'}"
        yield from _node(before[name], after[name], at=f"{at}/{name}")


def _values(old: Schema, new: Schema, *, at: str) -> Iterator[str]:
    for keyword in ("enum", "x-known-values"):
        before, after = old.get(keyword), new.get(keyword)
        if before is None or after is None:
            continue
        for value in sorted(set(before) - set(after)):
            yield f"{at}: value {value!r} removed"
        if keyword == "enum":
            for value in sorted(set(after) - set(before)):
                yield f"{at}: value {value!r} added to a closed enumeration"


def _branches(old: list[Any], new: list[Any], *, at: str) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{at}: {len(old)} alternatives became {len(new)}"
        return
    for before, after in zip(old, new, strict=True):
        yield from _node(before, after, at=at)


def _shown(value: object) -> str:
    return "(none)" if value is NOTHING else repr(value)
