"""A fact as an outbox row: checked, serialized, with its CloudEvents headers (binary mode, 1.0.2)."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zlib import crc32

from contracts.base import Fact
from contracts.registry import BY_TYPE
from contracts.topics import TOPICS, Topic
from telemetry.tracing import current_headers

PAYLOAD_LIMIT_BYTES: Final = 786_432
KEY_LIMIT_BYTES: Final = 512
SHARDS: Final = 16
TOMBSTONE: Final = "br.ibora.tombstone.v1"


class NotPublishable(ValueError):
    """The fact breaks a rule of the outbox: topic, key, version or size. A bug in the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One row to insert. `payload` is None for a tombstone; `headers` is a JSON object of strings."""

    shard: int
    event_id: UUID
    topic: str
    key: str
    version: int
    event_type: str
    headers: str
    payload: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The attributes that do not come from the fact."""

    event_id: UUID
    service: str
    time: datetime
    correlation_id: UUID
    causation_id: UUID | None


def fact_row(fact: Fact, *, version: int, envelope: Envelope) -> OutboxRow:
    """The row of `fact`; NotPublishable when its topic, key, version or size is not allowed."""
    type_name = fact.type_name()
    if type_name not in BY_TYPE:
        raise NotPublishable(f"{type_name} is not in contracts.registry")
    payload = fact.model_dump_json().encode()
    if len(payload) > PAYLOAD_LIMIT_BYTES:
        raise NotPublishable(f"{type_name} has {len(payload)} bytes, more than {PAYLOAD_LIMIT_BYTES}")
    return _row(
        topic=fact.topic,
        key=fact.key(),
        version=version,
        type_name=type_name,
        payload=payload,
        headers=fact_headers(fact, version=version, envelope=envelope),
        envelope=envelope,
    )


def fact_headers(fact: Fact, *, version: int, envelope: Envelope) -> dict[str, str]:
    """The record's headers: CloudEvents attributes in binary mode and the current `traceparent`."""
    return {
        "content-type": "application/json",
        "ce_dataschema": f"urn:ibora:schema:{fact.fact}:v{fact.major}",
        **_attributes(envelope, type_name=fact.type_name(), key=fact.key(), version=version),
        **current_headers(),
    }


def tombstone_row(topic: Topic, *, key: str, envelope: Envelope) -> OutboxRow:
    """The row that makes a compacted topic forget `key`."""
    if not topic.compacted:
        raise NotPublishable(f"{topic.name} is not compacted: a tombstone forgets nothing there")
    return _row(
        topic=topic,
        key=key,
        version=0,
        type_name=TOMBSTONE,
        payload=None,
        headers={
            **_attributes(envelope, type_name=TOMBSTONE, key=key, version=0),
            **current_headers(),
        },
        envelope=envelope,
    )


def shard_of(topic: str, *, key: str) -> int:
    """Which of the 16 shards holds a key of a topic."""
    return crc32(f"{topic}|{key}".encode()) % SHARDS


def _row(
    *,
    topic: Topic,
    key: str,
    version: int,
    type_name: str,
    payload: bytes | None,
    headers: dict[str, str],
    envelope: Envelope,
) -> OutboxRow:
    _check(topic, key=key, version=version)
    return OutboxRow(
        shard=shard_of(topic.name, key=key),
        event_id=envelope.event_id,
        topic=topic.name,
        key=key,
        version=version,
        event_type=type_name,
        headers=json.dumps(headers),
        payload=payload,
    )


def _check(topic: Topic, *, key: str, version: int) -> None:
    if topic not in TOPICS or topic.lossy:
        raise NotPublishable(f"{topic.name} is not a topic of the outbox")
    if not key or len(key.encode()) > KEY_LIMIT_BYTES:
        raise NotPublishable(f"a key has 1 to {KEY_LIMIT_BYTES} bytes")
    if version < 0:
        raise NotPublishable("a version is never negative")


def _attributes(envelope: Envelope, *, type_name: str, key: str, version: int) -> dict[str, str]:
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": str(envelope.event_id),
        "ce_source": f"/services/{envelope.service}",
        "ce_type": type_name,
        "ce_subject": key,
        "ce_time": envelope.time.isoformat().replace("+00:00", "Z"),
        "ce_partitionkey": key,
        "ce_sequence": str(version),
        "ce_correlationid": str(envelope.correlation_id),
    }
    if envelope.causation_id is not None:
        attributes["ce_causationid"] = str(envelope.causation_id)
    return attributes
