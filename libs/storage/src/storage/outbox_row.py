"""A fact as an outbox row: checked, serialized, with its CloudEvents headers (binary mode, 1.0.2)."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from json.encoder import encode_basestring
from typing import Final, NamedTuple
from uuid import UUID
from zlib import crc32

from contracts.base import Fact
from contracts.registry import BY_TYPE
from contracts.topics import TOPICS, Topic
from telemetry.tracing import current_headers

PAYLOAD_LIMIT_BYTES: Final = 786_432
KEY_LIMIT_BYTES: Final = 512
SHARDS: Final = 16
_NAMES: Final = frozenset(topic.name for topic in TOPICS)
TOMBSTONE: Final = "br.ibora.tombstone.v1"


class NotPublishable(ValueError):
    """The fact breaks a rule of the outbox: topic, key, version or size. A bug in the caller."""


class OutboxRow(NamedTuple):
    """One row, in the order of the columns. `payload`: None for a tombstone; `headers`: a JSON object of strings."""

    shard: int
    event_id: UUID
    topic: str
    key: str
    version: int
    event_type: str
    headers: str
    payload: bytes | None


class Envelope(NamedTuple):
    """The attributes that do not come from the fact."""

    event_id: UUID
    service: str
    time: datetime
    correlation_id: UUID
    causation_id: UUID | None
    trace: Mapping[str, str] | None = None
    """The trace's headers; None: those of the current span."""


JsonWriter = Callable[[UUID, str, bytes, int, UUID, UUID | None, Mapping[str, str]], OutboxRow]


def fact_row(fact: Fact, *, version: int, envelope: Envelope) -> OutboxRow:
    """The row of `fact`; NotPublishable when its topic, key, version or size is not allowed."""
    payload = fact.model_dump_json().encode()
    return json_row(type(fact), key=fact.key(), payload=payload, version=version, envelope=envelope)


def json_row(kind: type[Fact], *, key: str, payload: bytes, version: int, envelope: Envelope) -> OutboxRow:
    """The row of a fact of that kind that is serialized already; NotPublishable as for `fact_row`."""
    write = json_writer(kind, service=envelope.service, time=envelope.time)
    trace = current_headers() if envelope.trace is None else envelope.trace
    story = envelope.correlation_id, envelope.causation_id
    return write(envelope.event_id, key, payload, version, *story, trace)


def json_writer(kind: type[Fact], *, service: str, time: datetime) -> JsonWriter:
    """`json_row` for several facts of one kind and moment: what they share of their headers is written once.

    The writer takes event id, key, payload, version, correlation id, causation id or None, and trace headers.
    """
    type_name, topic, head = _of_kind(kind)
    at = time.isoformat().replace("+00:00", "Z")
    head += f',"ce_source":"/services/{service}","ce_time":"{at}"'

    def write(
        event_id: UUID,
        key: str,
        payload: bytes,
        version: int,
        correlation_id: UUID,
        causation_id: UUID | None,
        trace: Mapping[str, str],
    ) -> OutboxRow:
        if len(payload) > PAYLOAD_LIMIT_BYTES:
            raise NotPublishable(f"{type_name} has {len(payload)} bytes, more than {PAYLOAD_LIMIT_BYTES}")
        _check_version(version)
        shard, subject = _place(topic, key)
        correlation = str(correlation_id)
        # The first event of a story is what caused the second.
        causation = correlation if causation_id == correlation_id else causation_id
        cause = "" if causation is None else f',"ce_causationid":"{causation}"'
        more = "".join([f',"{header}":{encode_basestring(value)}' for header, value in trace.items()])
        headers = (
            f'{head},"ce_correlationid":"{correlation}"{cause}{more},"ce_id":"{event_id}","ce_subject":{subject},'
            f'"ce_partitionkey":{subject},"ce_sequence":"{version}"}}'
        )
        return OutboxRow(shard, event_id, topic, key, version, type_name, headers, payload)

    return write


@cache
def _of_kind(kind: type[Fact]) -> tuple[str, str, str]:
    """A kind's type name, its topic's name, and the start of its headers as JSON."""
    type_name = kind.type_name()
    if type_name not in BY_TYPE:
        raise NotPublishable(f"{type_name} is not in contracts.registry")
    _check_topic(kind.topic)
    head = (
        f'{{"content-type":"application/json","ce_dataschema":"urn:ibora:schema:{kind.fact}:v{kind.major}",'
        f'"ce_specversion":"1.0","ce_type":"{type_name}"'
    )
    return type_name, kind.topic.name, head


@lru_cache(maxsize=4096)
def _place(topic: str, key: str) -> tuple[int, str]:
    """A key's shard, and the key as JSON: what happens comes in runs of the same keys."""
    _check_key(key)
    return shard_of(topic, key=key), encode_basestring(key)


def fact_headers(fact: Fact, *, version: int, envelope: Envelope) -> dict[str, str]:
    """The record's headers: CloudEvents attributes in binary mode and the current `traceparent`."""
    return _fact_headers(type(fact), key=fact.key(), version=version, envelope=envelope)


def _fact_headers(kind: type[Fact], *, key: str, version: int, envelope: Envelope) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "ce_dataschema": f"urn:ibora:schema:{kind.fact}:v{kind.major}",
        **_attributes(envelope, type_name=kind.type_name(), key=key, version=version),
        **(current_headers() if envelope.trace is None else envelope.trace),
    }


def tombstone_row(topic: Topic, *, key: str, envelope: Envelope) -> OutboxRow:
    """The row that makes a compacted topic forget `key`."""
    if not topic.compacted:
        raise NotPublishable(f"{topic.name} is not compacted: a tombstone forgets nothing there")
    _check_topic(topic)
    _check_key(key)
    headers = json.dumps(
        {**_attributes(envelope, type_name=TOMBSTONE, key=key, version=0), **current_headers()}
    )
    return OutboxRow(
        shard=shard_of(topic.name, key=key),
        event_id=envelope.event_id,
        topic=topic.name,
        key=key,
        version=0,
        event_type=TOMBSTONE,
        headers=headers,
        payload=None,
    )


def shard_of(topic: str, *, key: str) -> int:
    """Which of the 16 shards holds a key of a topic."""
    return crc32(f"{topic}|{key}".encode()) % SHARDS


def _check_topic(topic: Topic) -> None:
    if topic.name not in _NAMES or topic.lossy:
        raise NotPublishable(f"{topic.name} is not a topic of the outbox")


def _check_key(key: str) -> None:
    if not key or len(key.encode()) > KEY_LIMIT_BYTES:
        raise NotPublishable(f"a key has 1 to {KEY_LIMIT_BYTES} bytes")


def _check_version(version: int) -> None:
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
