"""The gate bites: one mutant for each row of the table of what may change within a major version."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, Field, PlainSerializer, WithJsonSchema
from schema_mutants import PARCELS, Carrier, Color, ParcelBase, Stamp, parcel

from contracts.base import Fact, Model, Money
from contracts.topics import Topic
from devstack.schemas.compatibility import breaking_changes
from devstack.schemas.fact_schema import fact_schema
from devstack.schemas.gate import problems, surprising_events, unreadable_samples
from devstack.schemas.revisions import RETIRED, SUMS, Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """One published revision of the parcel."""
    made = Registry(tmp_path / "events")
    made.publish([parcel()])
    return made


class Scale(Model):
    """A stamp with one more optional field."""

    value: Money
    color: Color = Color.RED
    series: str | None = None


class NewCarrier(StrEnum):
    UNKNOWN = "unknown"
    ROAD = "road"
    AIR = "air"

    @classmethod
    def _missing_(cls, value: object) -> "NewCarrier":
        return cls.UNKNOWN


class NewerCarrier(StrEnum):
    UNKNOWN = "unknown"
    AIR = "air"

    @classmethod
    def _missing_(cls, value: object) -> "NewerCarrier":
        return cls.UNKNOWN


class ClosedCarrier(StrEnum):
    UNKNOWN = "unknown"
    ROAD = "road"


class GreenColor(StrEnum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class BareStamp(Model):
    value: Money


class MovedTopic(ParcelBase):
    topic = Topic(name="test.post.other.v1", partitions=3, retention_ms=1)


class OtherKey(ParcelBase):
    key_field = "note"


ALLOWED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "an optional field with a default is added": {"height_mm": (int | None, None)},
    "a list with a default is added": {"tags": (tuple[str, ...], ())},
    "a nested model gets an optional field": {
        "return_stamp": (Scale | None, None),
        "stamps": (tuple[Scale, ...], ()),
    },
    "an open enumeration learns a value": {"carrier": (NewCarrier, NewCarrier.ROAD)},
}

REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "a required field is added": ("/height_mm", {"height_mm": (int, ...)}),
    "an optional field becomes required": ("/note", {"note": (str | None, ...)}),
    "a field is removed": ("/color", {"without": "color"}),
    "an optional field is removed": ("/note", {"without": "note"}),
    "a required field becomes optional": (
        "/weight_g",
        {"weight_g": (Annotated[int, Field(ge=1, le=30_000)], 1)},
    ),
    "a required field becomes nullable": ("/color", {"color": (Color | None, ...)}),
    "a type changes": ("/weight_g", {"weight_g": (str, ...)}),
    "a list becomes a single value": ("/stamps", {"stamps": (str, "")}),
    "a format changes": ("/parcel_id", {"parcel_id": (str, ...)}),
    "money becomes a number": ("/price", {"price": (float, ...)}),
    "a unit changes with the name": ("/weight_g", {"without": "weight_g", "weight_kg": (int, ...)}),
    "a default changes its meaning": ("/carrier", {"carrier": (Carrier, Carrier.UNKNOWN)}),
    "the topic changes": ("x-topic", {"base": MovedTopic}),
    "the key changes": ("x-key", {"base": OtherKey}),
    "a field is renamed": ("/note", {"without": "note", "comment": (str | None, None)}),
    "a closed enumeration gets a value": (
        "'green'",
        {"color": (GreenColor, ...)},
    ),
    "an enumeration loses a value": ("'blue'", {"color": (Literal["red"], ...)}),
    "an open enumeration loses a value": ("'road'", {"carrier": (NewerCarrier, NewerCarrier.AIR)}),
    "an open enumeration is closed": (
        "/carrier",
        {"carrier": (ClosedCarrier, ClosedCarrier.ROAD)},
    ),
    "a range is narrowed": ("/weight_g", {"weight_g": (Annotated[int, Field(ge=1, le=20_000)], ...)}),
    "a range is widened": ("/weight_g", {"weight_g": (Annotated[int, Field(ge=1, le=40_000)], ...)}),
    "a nested field is removed": (
        "/return_stamp/color",
        {"return_stamp": (BareStamp | None, None)},
    ),
    "an alternative is added": ("/note", {"note": (str | int | None, None)}),
}


@pytest.mark.parametrize("change", ALLOWED)
def test_a_compatible_change_passes_and_is_published_once(change: str, registry: Registry) -> None:
    mutant = parcel(**ALLOWED[change])
    assert problems(registry, facts=[mutant]) == []
    written = registry.publish([mutant])
    assert written == ([] if change == "nothing" else ["parcel.sent/1/2.json", "parcel.sent/1/2.golden.json"])
    assert problems(registry, facts=[mutant]) == []
    assert registry.publish([mutant]) == []


@pytest.mark.parametrize("change", REFUSED)
def test_a_breaking_change_is_refused_and_named(change: str, registry: Registry) -> None:
    where, changes = REFUSED[change]
    mutant = parcel(**changes)
    found = breaking_changes(fact_schema(parcel()), fact_schema(mutant))
    assert any(where in problem for problem in found), found
    assert problems(registry, facts=[mutant])


# Seen from the other side these add an optional field, which is the one change that is allowed.
MIRRORED = REFUSED.keys() - {"an optional field is removed", "a nested field is removed"}


@pytest.mark.parametrize("change", sorted(MIRRORED))
def test_what_is_broken_one_way_is_broken_for_a_reader_of_the_other(change: str) -> None:
    _, changes = REFUSED[change]
    assert breaking_changes(fact_schema(parcel(**changes)), fact_schema(parcel()))


def test_a_change_that_hides_behind_a_later_revision_is_refused(registry: Registry) -> None:
    """Compatible with revision 2, which somebody forced in, but not with revision 1."""
    forced = parcel(without="note")
    registry.publish([forced])
    found = problems(registry, facts=[forced])
    assert found
    assert all("revision 1" in problem for problem in found)


def test_prose_may_change_without_a_new_revision(registry: Registry) -> None:
    reworded = parcel(
        note=(Annotated[str | None, Field(description="What the sender wrote.", title="Remark")], None)
    )
    assert problems(registry, facts=[reworded]) == []
    assert registry.publish([reworded]) == []


def test_a_new_major_version_may_break_everything_beside_the_old_one(registry: Registry) -> None:
    class SecondMajor(ParcelBase):
        major = 2

    second = parcel(base=SecondMajor, without="color")
    assert problems(registry, facts=[parcel(), second]) == []
    assert registry.publish([parcel(), second]) == ["parcel.sent/2/1.json", "parcel.sent/2/1.golden.json"]


def test_a_fact_that_disappears_must_be_retired_by_name(registry: Registry) -> None:
    assert problems(registry, facts=[]) == [
        "br.ibora.parcel.sent.v1: published and gone from the code, but not listed as retired"
    ]
    (registry.root / RETIRED).write_text("br.ibora.parcel.sent.v1\n")
    assert problems(registry, facts=[]) == []


def test_a_reader_that_became_stricter_than_its_schema_fails_on_a_golden_sample(registry: Registry) -> None:
    """The structure sees nothing: a validator leaves no trace in a schema."""

    def refuse_small(weight_g: int) -> int:
        if weight_g < 100:
            raise ValueError("too light")
        return weight_g

    field = Annotated[int, Field(ge=1, le=30_000), AfterValidator(refuse_small)]
    stricter = parcel(weight_g=(field, ...))
    assert breaking_changes(fact_schema(parcel()), fact_schema(stricter)) == []
    [found, _] = unreadable_samples(stricter, revision=registry.revisions(stricter)[0])
    assert "weight_g" in found
    assert problems(registry, facts=[stricter])


@pytest.mark.parametrize(
    ("field", "written"),
    [
        pytest.param("price", lambda price: f"{price:.3f}", id="money with a third decimal"),
        pytest.param("sent_at", lambda at: at.strftime("%d/%m/%Y"), id="a time that is no RFC 3339"),
        pytest.param("parcel_id", lambda id_: f"parcel {id_}", id="an id that is no UUID"),
    ],
)
def test_a_writer_that_lies_about_its_form_is_found_by_its_own_events(
    field: str, written: Any, registry: Registry
) -> None:
    """The structure and the samples see nothing: a serializer may declare any schema that it likes."""
    types = {"price": Decimal, "sent_at": datetime, "parcel_id": str}
    honest = fact_schema(parcel())["properties"][field]
    form: Any = Annotated[types[field], PlainSerializer(written, return_type=str), WithJsonSchema(honest)]
    changes: dict[str, Any] = {field: (form, ...)}
    lying = parcel(**changes)
    assert breaking_changes(fact_schema(parcel()), fact_schema(lying)) == []
    [found] = surprising_events(lying, earlier=registry.revisions(lying))
    assert field in found
    assert any(found in problem for problem in problems(registry, facts=[lying]))


def test_a_published_file_that_was_edited_is_noticed(registry: Registry) -> None:
    path = registry.root / "parcel.sent/1/1.json"
    path.write_text(path.read_text().replace('"weight_g"', '"weight"'))
    assert "parcel.sent/1/1.json: a published file was changed" in problems(registry, facts=[parcel()])


def test_an_edited_golden_sample_is_noticed(registry: Registry) -> None:
    path = registry.root / "parcel.sent/1/1.golden.json"
    path.write_text(path.read_text() + "\n")
    assert problems(registry, facts=[parcel()]) == [
        "parcel.sent/1/1.golden.json: a published file was changed"
    ]


def test_a_published_file_that_is_gone_is_noticed(registry: Registry) -> None:
    (registry.root / "parcel.sent/1/1.golden.json").unlink()
    found = problems(registry, facts=[parcel()])
    assert "parcel.sent/1/1.golden.json: a published file is gone" in found
    assert "br.ibora.parcel.sent.v1: revision 1 has no golden sample" in found


def test_a_file_that_was_slipped_in_is_noticed(registry: Registry) -> None:
    path = registry.root / "parcel.sent/1/1.json"
    (path.parent / "2.json").write_text(path.read_text())
    assert any("only the generator" in problem for problem in registry.tampering())


def test_a_whole_rewrite_of_history_is_noticed_by_its_missing_hash(registry: Registry) -> None:
    lines = (registry.root / SUMS).read_text().splitlines(keepends=True)
    (registry.root / SUMS).write_text(lines[0])
    assert len(list(registry.tampering())) == 1


def test_the_golden_samples_hold_every_field_and_then_the_least(registry: Registry) -> None:
    fact: type[Fact] = parcel()
    [revision] = registry.revisions(fact)
    full, least = revision.samples
    assert full.keys() == fact.model_fields.keys()
    assert least.keys() == {name for name, field in fact.model_fields.items() if field.is_required()}
    assert fact.model_validate(full).model_dump(mode="json") == full
    assert full["stamps"] == [{"value": "50.00", "color": "red"}]
    assert fact.topic == PARCELS
    assert Stamp.model_validate(full["return_stamp"]).color is Color.RED
