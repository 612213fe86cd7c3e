"""Traces: OpenTelemetry's SDK, parent based ratio sampling, and W3C `traceparent` carried by hand.

Propagation is hand-written because it crosses the outbox: the headers are stored in a row in one process and
read by another, minutes later. Baggage and tracestate stay behind: outsiders send them and nobody needs them.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags
from opentelemetry.util.types import AttributeValue

from telemetry.exporting import MaskingExporter
from telemetry.masking import mask_named

TRACEPARENT: Final = "traceparent"
EXPORT_DELAY_MS: Final = 5000
UNHEARD: Final = 0.0
INTERNAL: Final = SpanKind.INTERNAL
SERVER: Final = SpanKind.SERVER
CLIENT: Final = SpanKind.CLIENT
PRODUCER: Final = SpanKind.PRODUCER
CONSUMER: Final = SpanKind.CONSUMER
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16
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


class _Unsampled(NonRecordingSpan):
    """A trace that is only passed on, as most are: its ids are read once somebody asks for them."""

    def __init__(self, trace_id: str, span_id: str) -> None:
        self._ids = trace_id, span_id

    @cached_property
    def _context(self) -> SpanContext:  # type: ignore[override]
        trace_id, span_id = self._ids
        return SpanContext(trace_id=int(trace_id, 16), span_id=int(span_id, 16), is_remote=True)

    @property
    def headers(self) -> dict[str, str]:
        return {TRACEPARENT: "00-{}-{}-00".format(*self._ids)}


class carried(AbstractContextManager[None]):  # noqa: N801 - read as a function, like contextlib's own
    """Somebody else's trace around a block that records nothing of its own: a tenth of a span's cost."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = attach(self._context)

    def __exit__(self, *_: object) -> None:
        detach(self._token)


def left_out(parent: Context) -> bool:
    """Whether `parent` was not sampled: then nothing below it is (ParentBased), and no span need be made."""
    remote = trace.get_current_span(parent)
    if isinstance(remote, _Unsampled):
        return True
    context = remote.get_span_context()
    return context.is_valid and not context.trace_flags.sampled


def current_headers() -> dict[str, str]:
    """`{"traceparent": …}` of the current span; empty when there is none."""
    return _headers_of(trace.get_current_span())


def parent_from(headers: Mapping[str, str]) -> Context:
    """The remote parent that `headers` name (any letter case); a fresh root when absent or malformed."""
    return parent_of(next((value for name, value in headers.items() if name.lower() == TRACEPARENT), ""))


def parent_of(text: str) -> Context:
    """The remote parent of a `traceparent`; a fresh root when it is malformed."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        return Context()
    trace_id, span_id, flags = match.groups()
    if trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return Context()
    return trace.set_span_in_context(_remote(trace_id, span_id, flags=int(flags, 16)), Context())


def _remote(trace_id: str, span_id: str, *, flags: int) -> Span:
    if not flags & TraceFlags.SAMPLED:
        return _Unsampled(trace_id, span_id)
    context = SpanContext(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return NonRecordingSpan(context)


class TraceParent(TextMapPropagator):
    """For instrumentations: the same `traceparent`, and nothing else, as this module carries by hand."""

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        found = getter.get(carrier, TRACEPARENT) or [""]
        return parent_from({TRACEPARENT: found[0]})

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        for name, value in _headers_of(trace.get_current_span(context)).items():
            setter.set(carrier, name, value)

    @property
    def fields(self) -> set[str]:
        return {TRACEPARENT}


def make_provider(
    *,
    service: str,
    ratio: float,
    environment: str,
    exporter: SpanExporter | None = None,
    delay_ms: int = EXPORT_DELAY_MS,
) -> TracerProvider:
    """Records `ratio` of the traces that begin here, and of the others what their caller decided."""
    resource = Resource.create({"service.name": service, "deployment.environment.name": environment})
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(ratio)))
    if exporter is not None:
        batches = BatchSpanProcessor(MaskingExporter(exporter), schedule_delay_millis=delay_ms)
        provider.add_span_processor(batches)
    return provider


def configure_tracing(
    *,
    service: str,
    ratio: float,
    otlp_endpoint: str | None,
    environment: str,
    delay_ms: int = EXPORT_DELAY_MS,
) -> None:
    """Install the process's tracer provider, once: OpenTelemetry ignores a second one.

    Without an endpoint nothing is recorded; the traces still have their ids, for the logs and for others.
    """
    set_global_textmap(TraceParent())
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    if otlp_endpoint is None:
        trace.set_tracer_provider(make_provider(service=service, ratio=UNHEARD, environment=environment))
        return
    exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
    trace.set_tracer_provider(
        make_provider(
            service=service, ratio=ratio, environment=environment, exporter=exporter, delay_ms=delay_ms
        )
    )


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


def _headers_of(current: Span) -> dict[str, str]:
    if isinstance(current, _Unsampled):
        return current.headers
    context = current.get_span_context()
    if not context.is_valid:
        return {}
    flags = int(context.trace_flags)
    return {TRACEPARENT: f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"}
