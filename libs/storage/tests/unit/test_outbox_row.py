"""A fact becomes a checked row with CloudEvents headers."""

import json
from datetime import UTC, datetime

import pytest
from storage_samples import ride_paid

from contracts.audit import AuditRecorded
from contracts.base import Fact
from contracts.ride_dispatch import DriverLocationUpdated
from contracts.topics import PROFILES, RIDES
from kernel.ids import new_id
from storage import NotPublishable
from storage.outbox_row import Envelope, fact_row, shard_of, tombstone_row
from telemetry.tracing import record_spans, span

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ENVELOPE = Envelope(
    event_id=new_id(), service="ride-dispatch", time=NOW, correlation_id=new_id(), causation_id=new_id()
)


def audit_record(entity_id: str, *, reason: str = "") -> AuditRecorded:
    return AuditRecorded(
        record_id=new_id(),
        action="x",
        entity_type="ride",
        entity_id=entity_id,
        user_type="system",
        reason=reason,
        occurred_at=NOW,
    )


def test_a_row_carries_every_attribute_once() -> None:
    fact = ride_paid()
    row = fact_row(fact, version=7, envelope=ENVELOPE)
    assert json.loads(row.headers) == {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": str(ENVELOPE.event_id),
        "ce_source": "/services/ride-dispatch",
        "ce_type": "br.ibora.ride.paid.v1",
        "ce_subject": str(fact.ride_id),
        "ce_time": "2026-11-24T12:00:00Z",
        "ce_dataschema": "urn:ibora:schema:ride.paid:v1",
        "ce_partitionkey": str(fact.ride_id),
        "ce_sequence": "7",
        "ce_correlationid": str(ENVELOPE.correlation_id),
        "ce_causationid": str(ENVELOPE.causation_id),
    }
    assert (row.topic, row.key, row.version) == (RIDES.name, str(fact.ride_id), 7)
    assert type(fact).model_validate_json(row.payload or b"") == fact


def test_the_current_trace_travels_with_the_row() -> None:
    spans = record_spans()
    with span("tap"):
        headers = json.loads(fact_row(ride_paid(), version=0, envelope=ENVELOPE).headers)
    context = spans.get_finished_spans()[-1].get_span_context()
    assert context is not None
    assert f"{context.trace_id:032x}" in headers["traceparent"]


def test_a_fact_without_a_cause_names_none() -> None:
    row = fact_row(ride_paid(), version=0, envelope=ENVELOPE._replace(causation_id=None))
    assert "ce_causationid" not in json.loads(row.headers)


@pytest.mark.parametrize("key", ["", "k" * 513])
def test_a_key_without_measure_is_refused(key: str) -> None:
    with pytest.raises(NotPublishable, match="a key has"):
        fact_row(audit_record(key), version=0, envelope=ENVELOPE)


def test_an_oversize_fact_is_refused() -> None:
    with pytest.raises(NotPublishable, match="more than 786432"):
        fact_row(audit_record("x", reason="r" * 800_000), version=0, envelope=ENVELOPE)


def test_a_negative_version_is_refused() -> None:
    with pytest.raises(NotPublishable, match="negative"):
        fact_row(ride_paid(), version=-1, envelope=ENVELOPE)


def test_a_lossy_fact_never_enters_the_outbox() -> None:
    fact = DriverLocationUpdated(driver_id=new_id(), lat=-23.5, lon=-46.6, recorded_at=NOW)
    with pytest.raises(NotPublishable, match="not a topic of the outbox"):
        fact_row(fact, version=0, envelope=ENVELOPE)


def test_an_unregistered_fact_is_refused() -> None:
    class Stray(Fact):
        fact = "stray.happened"
        topic = RIDES
        key_field = "id"
        id: str

    with pytest.raises(NotPublishable, match="not in"):
        fact_row(Stray(id="x"), version=0, envelope=ENVELOPE)


def test_only_a_compacted_topic_forgets() -> None:
    row = tombstone_row(PROFILES, key="x", envelope=ENVELOPE)
    assert row.payload is None
    assert json.loads(row.headers)["ce_type"] == "br.ibora.tombstone.v1"
    with pytest.raises(NotPublishable, match="not compacted"):
        tombstone_row(RIDES, key="x", envelope=ENVELOPE)


def test_a_key_always_has_the_same_shard() -> None:
    assert shard_of("t", key="k") == shard_of("t", key="k")
    assert {shard_of("t", key=str(n)) for n in range(200)} == set(range(16))
