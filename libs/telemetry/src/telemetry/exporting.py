"""What a span may say when it leaves the process: spans are masked on the exporter's own thread.

Instrumentations record paths, queries, addresses, agents and headers. Of the namespaces that hold them only
the attributes of `_TOLD` go out; a new one of a newer instrumentation stays at home until somebody lists it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from telemetry.masking import mask_named, mask_text

_GUARDED: Final = ("url.", "http.", "client.", "net.", "network.", "user_agent.", "server.", "asgi.")
_TOLD: Final = frozenset(
    {
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "network.protocol.version",
        "url.scheme",
    }
)


class MaskingExporter(SpanExporter):
    """Hands spans on with masked attributes and events."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([masked(finished) for finished in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def masked(finished: ReadableSpan) -> ReadableSpan:
    """A copy of a finished span without secrets and personal data."""
    return ReadableSpan(
        name=mask_named("name", finished.name),
        context=finished.get_span_context(),
        parent=finished.parent,
        resource=finished.resource,
        attributes=_masked_attributes(finished.attributes),
        events=[
            Event(event.name, _masked_attributes(event.attributes), event.timestamp)
            for event in finished.events
        ],
        links=finished.links,
        kind=finished.kind,
        status=_masked_status(finished.status),
        start_time=finished.start_time,
        end_time=finished.end_time,
        instrumentation_scope=finished.instrumentation_scope,
    )


def _masked_status(status: Status) -> Status:
    return Status(status.status_code, mask_text(status.description)) if status.description else status


def _masked_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        key: mask_named(key.rpartition(".")[2], value)
        for key, value in (attributes or {}).items()
        if key in _TOLD or not key.startswith(_GUARDED)
    }
