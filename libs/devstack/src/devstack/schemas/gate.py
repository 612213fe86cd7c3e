"""The gate: no fact may break what an earlier revision of its major version promised.

Four independent looks, because each has its blind spot: the structure of the schemas, the golden samples of
old events read by today's code, today's events made at random and judged by every old schema, and the hashes
of what was published.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from hypothesis import Phase, given, settings
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from pydantic import ValidationError as Unreadable

from contracts.base import Fact
from devstack.schemas.compatibility import breaking_changes
from devstack.schemas.fact_schema import fact_schema
from devstack.schemas.made_facts import made
from devstack.schemas.revisions import Registry, Revision

EXAMPLES: Final = 25
FORMATS: Final = FormatChecker(["uuid", "date-time"])


def problems(registry: Registry, *, facts: Sequence[type[Fact]]) -> list[str]:
    """Every reason why `facts` may not be published beside what `registry` holds; empty when they may."""
    found = list(registry.tampering())
    by_type = {fact.type_name(): fact for fact in facts}
    found += [
        f"{name}: published and gone from the code, but not listed as retired"
        for name in sorted(registry.types() - by_type.keys())
    ]
    for name, fact in sorted(by_type.items()):
        found += [f"{name}: {problem}" for problem in _problems_of(fact, earlier=registry.revisions(fact))]
    return found


def _problems_of(fact: type[Fact], *, earlier: Sequence[Revision]) -> Iterator[str]:
    current = fact_schema(fact)
    for revision in earlier:
        for change in breaking_changes(revision.schema, current):
            yield f"breaks revision {revision.number}: {change}"
        yield from unreadable_samples(fact, revision=revision)
    yield from surprising_events(fact, earlier=earlier)


def unreadable_samples(fact: type[Fact], *, revision: Revision) -> Iterator[str]:
    """Old events that today's code cannot read."""
    if not revision.samples:
        yield f"revision {revision.number} has no golden sample"
    for sample in revision.samples:
        try:
            fact.model_validate(sample)
        except Unreadable as error:
            first = error.errors()[0]
            yield f"cannot read a golden sample of revision {revision.number}: {first['loc']} {first['msg']}"


def surprising_events(fact: type[Fact], *, earlier: Sequence[Revision]) -> Iterator[str]:
    """Events that today's code can publish and that a consumer with an old schema would refuse."""
    validators = {each.number: Draft202012Validator(each.schema, format_checker=FORMATS) for each in earlier}
    validators[len(earlier) + 1] = Draft202012Validator(fact_schema(fact), format_checker=FORMATS)

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=(Phase.generate,))
    @given(made(fact))
    def all_validate(event: Fact) -> None:
        wire = event.model_dump(mode="json")
        for number, validator in validators.items():
            _validate(wire, validator=validator, number=number)

    try:
        all_validate()
    except SurprisingEvent as error:
        yield str(error)


class SurprisingEvent(Exception):
    """An event of today that an old schema refuses."""


def _validate(wire: Any, *, validator: Draft202012Validator, number: int) -> None:
    try:
        validator.validate(wire)
    except ValidationError as error:
        where = "/".join(str(step) for step in error.absolute_path)
        raise SurprisingEvent(
            f"revision {number} refuses an event of today: {where}: {error.message}"
        ) from error
