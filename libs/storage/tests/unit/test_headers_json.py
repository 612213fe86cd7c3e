"""The headers of an outbox row, written as text, are the headers that `fact_headers` gives."""

import json
from datetime import UTC, datetime

import pytest

from contracts.ledger import LedgerPosted
from kernel.ids import new_id
from storage.outbox_row import Envelope, fact_headers, json_row


@pytest.mark.parametrize("caused", [True, False])
@pytest.mark.parametrize("trace", [None, {}, {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}])
def test_headers_written_at_once_are_the_same(caused: bool, trace: dict[str, str] | None) -> None:
    fact = LedgerPosted.model_construct(journal_id=new_id(), driver_id=new_id())
    envelope = Envelope(
        event_id=new_id(),
        service="ledger",
        time=datetime(2026, 3, 10, tzinfo=UTC),
        correlation_id=new_id(),
        causation_id=new_id() if caused else None,
        trace=trace,
    )
    row = json_row(LedgerPosted, key=fact.key(), payload=b"{}", version=3, envelope=envelope)
    assert json.loads(row.headers) == fact_headers(fact, version=3, envelope=envelope)


def test_a_key_is_escaped() -> None:
    key = 'a"b\\c\n'
    now = datetime(2026, 3, 10, tzinfo=UTC)
    envelope = Envelope(event_id=new_id(), service="x", time=now, correlation_id=new_id(), causation_id=None)
    row = json_row(LedgerPosted, key=key, payload=b"{}", version=0, envelope=envelope)
    assert json.loads(row.headers)["ce_subject"] == key
