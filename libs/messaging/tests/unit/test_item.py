"""Sorting what is read: binary and structured mode, what is nobody's, and what is unfit."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from messaging_samples import recorded, write_effect

from contracts.audit import AuditRecorded
from contracts.identity import Profile
from contracts.ride_dispatch import RidePaid
from contracts.topics import AUDIT
from kernel.ids import new_id
from messaging.envelope import Malformed
from messaging.item import OutOfTime, Sorter, retention_days, wanted_topics
from messaging.ports import Record

NOW = datetime.now(UTC)
FACT = recorded("thing", "note")
SORTER = Sorter({AuditRecorded: write_effect}, retention_days=35)


def headers(**changes: str) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": str(new_id()),
        "ce_source": "/services/x",
        "ce_type": AuditRecorded.type_name(),
        "ce_time": "2026-11-24T09:00:00-03:00",
        "ce_sequence": "7",
        "ce_correlationid": str(new_id()),
        **changes,
    }


def record(value: bytes | None = FACT.model_dump_json().encode(), **changes: str) -> Record:
    return Record(AUDIT.name, 1, 42, "thing", value, headers(**changes))


def test_a_good_record_becomes_an_item() -> None:
    item = SORTER.item(record(), now=NOW)
    assert item is not None
    assert (item.fact, item.handler, item.error) == (FACT, write_effect, None)
    delivery = item.delivery
    assert (delivery.key, delivery.version, delivery.partition, delivery.offset) == ("thing", 7, 1, 42)
    assert delivery.time == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert delivery.now == NOW
    assert delivery.causation_id is None


def test_structured_mode_is_understood() -> None:
    event = {name.removeprefix("ce_"): value for name, value in headers().items() if name.startswith("ce_")}
    body = json.dumps({**event, "data": FACT.model_dump(mode="json")}).encode()
    structured = Record(
        AUDIT.name, 1, 42, "thing", body, {"content-type": "application/cloudevents+json; charset=utf-8"}
    )
    item = SORTER.item(structured, now=NOW)
    assert item is not None
    assert item.fact == FACT


@pytest.mark.parametrize(
    "passed_over",
    [record(None), record(b"", ce_type=RidePaid.type_name()), record(b"", ce_type="org.example.other.v9")],
)
def test_tombstones_and_foreign_types_are_nobodys(passed_over: Record) -> None:
    assert SORTER.item(passed_over, now=NOW) is None


@pytest.mark.parametrize(
    ("unfit", "error"),
    [
        (record(ce_specversion="0.3"), Malformed),
        (record(ce_id="x"), Malformed),
        (record(ce_time="2026-11-24T12:00:00"), Malformed),
        (record(ce_sequence="many"), Malformed),
        (record(ce_correlationid="x"), Malformed),
        (record(b"not json"), ValueError),
        (record(b"{}"), ValueError),
        (record(ce_id="00000000-0000-4000-8000-000000000000"), ValueError),
        (record(ce_id="01000000-0000-7000-8000-000000000000"), OutOfTime),
        (Record(AUDIT.name, 0, 0, "k", b"{}", {}), Malformed),
        (Record(AUDIT.name, 0, 0, "k", b"[", {"content-type": "application/cloudevents+json"}), Malformed),
    ],
)
def test_an_unfit_record_says_why(unfit: Record, error: type[Exception]) -> None:
    item = SORTER.item(unfit, now=NOW)
    assert item is not None
    assert isinstance(item.error, error)
    assert item.fact is None


def test_an_id_from_the_future_is_out_of_time() -> None:
    item = SORTER.item(record(), now=NOW - timedelta(days=2))
    assert item is not None
    assert isinstance(item.error, OutOfTime)


def test_an_unreadable_record_is_known_by_its_place() -> None:
    first, again = (SORTER.item(record(ce_id="x"), now=NOW) for _ in range(2))
    assert first is not None
    assert again is not None
    assert first.delivery.id == again.delivery.id


def test_the_inbox_remembers_longer_than_the_topics() -> None:
    assert retention_days([]) == 35
    assert retention_days([RidePaid]) == 35
    assert retention_days([RidePaid, AuditRecorded]) == 95
    assert wanted_topics([RidePaid, AuditRecorded, Profile]) == sorted(
        {RidePaid.topic.name, AUDIT.name, Profile.topic.name}
    )
