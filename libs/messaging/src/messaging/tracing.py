"""Spans of sending and processing, and the context carried in headers (messaging reference §5.5).

Written by hand: the library's instrumentation closes its consumer spans before the handler runs.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context

from messaging.delivery import Delivery
from messaging.outbox_source import PendingRow
from messaging.shipment import record_headers
from telemetry import tracing

LINKS_LIMIT: Final = 32


@contextmanager
def sending(rows: Sequence[PendingRow]) -> Iterator[None]:
    """One span a batch, linked to the traces that wrote the rows; their own context travels untouched."""
    attributes: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.batch.message_count": len(rows),
    }
    with tracing.span("send outbox", kind=tracing.PRODUCER, attributes=attributes) as span:
        if span.is_recording():
            _link(span, rows)
        yield


def processing(delivery: Delivery, *, group: str) -> AbstractContextManager[object]:
    """The span of one event; its parent is the transaction that published the event."""
    headers = delivery.headers
    # Our own producers write it in small letters, and then there is nothing to search for.
    own = headers.get(tracing.TRACEPARENT)
    parent = tracing.parent_from(headers) if own is None else tracing.parent_of(own)
    # Most are not sampled, and a span that nobody sees would cost as much as the rest of the event's way.
    return tracing.carried(parent) if tracing.left_out(parent) else _span(delivery, parent, group=group)


@contextmanager
def _span(delivery: Delivery, parent: Context, *, group: str) -> Iterator[None]:
    with tracing.span(f"process {delivery.topic}", kind=tracing.CONSUMER, parent=parent) as span:
        if span.is_recording():
            span.set_attributes(_attributes(delivery, group=group))
        yield


@dataclass(slots=True)
class Look:
    """A job's run: `in_vain` when there was nothing to do."""

    in_vain: bool = False


@contextmanager
def looking(name: str) -> Iterator[Look]:
    """The span of a job's run. A look in vain leaves none: ten a second would bury all others."""
    look = Look()
    tracer = trace.get_tracer("ibora")
    with tracer.start_as_current_span(name, end_on_exit=False) as span:
        try:
            yield look
        finally:
            if not look.in_vain:
                span.end()


def _attributes(delivery: Delivery, *, group: str) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": delivery.topic,
        "messaging.destination.partition.id": str(delivery.partition),
        "messaging.kafka.offset": delivery.offset,
        "messaging.consumer.group.name": group,
        "messaging.message.id": str(delivery.id),
    }


def _link(span: trace.Span, rows: Sequence[PendingRow]) -> None:
    for row in rows[:LINKS_LIMIT]:
        headers = {name: value.decode() for name, value in record_headers(row.headers)}
        context = trace.get_current_span(tracing.parent_from(headers)).get_span_context()
        if context.is_valid:
            span.add_link(context)
