"""Traces: OpenTelemetry's SDK, parent based ratio sampling, and W3C `traceparent` carried by hand.

Propagation is hand-written because it crosses the outbox: the headers are stored in a row in one process and
read by another, minutes later. Baggage and tracestate stay behind: outsiders send them and nobody needs them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, TraceFlags
from opentelemetry.util.types import AttributeValue

from telemetry.masking import mask_named, mask_text

TRACEPARENT: Final = "traceparent"
INTERNAL: Final = SpanKind.INTERNAL
SERVER: Final = SpanKind.SERVER
CLIENT: Final = SpanKind.CLIENT
PRODUCER: Final = SpanKind.PRODUCER
CONSUMER: Final = SpanKind.CONSUMER
_SHAPE: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


@contextmanager
def span(
    name: str,
    *,
    kind: SpanKind = INTERNAL,
    attributes: Mapping[str, AttributeValue] | None = None,
    parent: Context | None = None,
) -> Iterator[Span]:
    """A span around a block; an exception marks it as failed. `parent` None continues the current span."""
    tracer = trace.get_tracer("ibora")
    safe = {key: mask_named(key, value) for key, value in (attributes or {}).items()}
    with tracer.start_as_current_span(name, context=parent, kind=kind, attributes=safe) as current:
        yield current


def current_headers() -> dict[str, str]:
    """`{"traceparent": …}` of the current span; empty when there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    flags = int(context.trace_flags)
    return {TRACEPARENT: f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"}


def parent_from(headers: Mapping[str, str]) -> Context:
    """The remote parent that `headers` name (any letter case); a fresh root when absent or malformed."""
    text = next((value for name, value in headers.items() if name.lower() == TRACEPARENT), "")
    match = _SHAPE.fullmatch(text)
    if match is None:
        return Context()
    remote = SpanContext(
        trace_id=int(match[1], 16),
        span_id=int(match[2], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(match[3], 16) & TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(NonRecordingSpan(remote), Context()) if remote.is_valid else Context()


class MaskingExporter(SpanExporter):
    """Hands spans on with masked attributes and events; the work happens on the exporter's own thread."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_masked(finished) for finished in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def configure_tracing(*, service: str, ratio: float, otlp_endpoint: str | None, environment: str) -> None:
    """Install the process's tracer provider, once: OpenTelemetry ignores a second one."""
    resource = Resource.create({"service.name": service, "deployment.environment.name": environment})
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(ratio)))
    if otlp_endpoint is not None:
        exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(MaskingExporter(exporter)))
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(provider)


def record_spans() -> InMemorySpanExporter:
    """For tests: keeps the spans that end from now on in memory, as an exporter would see them."""
    memory = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(MaskingExporter(memory)))
    return memory


def flush(timeout_s: float = 2) -> None:
    """Send what is waiting; called when a process drains."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush(int(timeout_s * 1000))


def _masked(finished: ReadableSpan) -> ReadableSpan:
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
    return {key: mask_named(key.rpartition(".")[2], value) for key, value in (attributes or {}).items()}
