"""From a Kafka record to a delivery: CloudEvents in binary mode, and structured mode on input."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from contracts.base import Fact
from contracts.registry import BY_TYPE
from messaging.delivery import Delivery
from messaging.ports import Record
from storage import read_id

STRUCTURED: Final = "application/cloudevents+json"


class Malformed(ValueError):
    """The record is not a CloudEvent that we can read."""


def legible(text: str) -> str:
    """The text without what no database takes: NUL and lone halves of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def event_type(record: Record) -> str | None:
    """The CloudEvents type, or None when the record names none."""
    return record.headers.get("ce_type")


def in_binary_mode(record: Record) -> Record:
    """A structured-mode record as binary mode; any other unchanged. Malformed when it cannot be read."""
    if record.value is None or not record.headers.get("content-type", "").startswith(STRUCTURED):
        return record
    try:
        event = json.loads(record.value)
        data = json.dumps(event.pop("data", None)).encode()
    except (ValueError, AttributeError, RecursionError) as error:
        raise Malformed("a structured event that is not a JSON object") from error
    attributes = {f"ce_{name}": legible(str(value)) for name, value in event.items()}
    return record._replace(value=data, headers={**record.headers, **attributes})


def delivery_of(record: Record, *, now: datetime) -> Delivery:
    """The delivery that the headers describe; Malformed when one is missing or unreadable."""
    headers = record.headers
    if headers.get("ce_specversion") != "1.0":
        raise Malformed("an unknown CloudEvents version")
    try:
        # In the order of the fields: by name they cost more than all that is read here.
        return Delivery(
            read_id(headers["ce_id"]),
            headers["ce_source"],
            headers["ce_type"],
            record.key,
            _time(headers["ce_time"]),
            int(headers.get("ce_sequence", "0")),
            now,
            record.topic,
            record.partition,
            record.offset,
            headers,
            _optional_id(headers, "ce_correlationid"),
            _optional_id(headers, "ce_causationid"),
        )
    except KeyError as error:
        raise Malformed(f"the header {error.args[0]} is missing") from error
    except (ValueError, OverflowError) as error:
        raise Malformed("a header is unreadable") from error


def fact_of(record: Record, *, type_name: str) -> Fact:
    """The fact in the value; ValueError (pydantic's) when it does not fit its model."""
    if record.value is None:
        raise Malformed("a tombstone carries no fact")
    return BY_TYPE[type_name].model_validate_json(record.value)


def stand_in(record: Record, *, now: datetime) -> Delivery:
    """A delivery for a record whose headers cannot be read: its place in the log is its identity."""
    place = f"kafka:{record.topic}/{record.partition}/{record.offset}"
    return Delivery(
        id=uuid5(NAMESPACE_URL, place),
        source=f"kafka:{record.topic}",
        type=record.headers.get("ce_type", "unknown"),
        key=record.key,
        time=now,
        version=0,
        now=now,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        headers=record.headers,
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """A parked record as it came: enough to deliver it again."""

    topic: str
    partition: int
    offset: int
    key: str
    payload: bytes | None
    headers: Mapping[str, Any]

    def record(self) -> Record:
        headers = {name: str(value) for name, value in self.headers.items()}
        return Record(self.topic, self.partition, self.offset, self.key, self.payload, headers)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without an offset")
    return time.astimezone(UTC)


def _optional_id(headers: Mapping[str, str], name: str) -> UUID | None:
    return read_id(headers[name]) if name in headers else None
