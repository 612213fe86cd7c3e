"""A collector of traces: OTLP over HTTP, as far as the services' exporters speak it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_KINDS: Final = {
    Span.SPAN_KIND_SERVER: "server",
    Span.SPAN_KIND_CLIENT: "client",
    Span.SPAN_KIND_PRODUCER: "producer",
    Span.SPAN_KIND_CONSUMER: "consumer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One exported span; ids in hexadecimal, `links` the trace ids it points at, `said` every text in it."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    links: frozenset[str]
    said: tuple[str, ...]


class Collector:
    """Listens on a free port of the loopback from the beginning."""

    def __init__(self) -> None:
        self.spans: list[Told] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="collector", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def of(self, trace_id: str) -> list[Told]:
        return [span for span in list(self.spans) if span.trace_id == trace_id]

    def linked_to(self, trace_id: str) -> list[Told]:
        return [span for span in list(self.spans) if trace_id in span.links]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        kept = self.spans

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                found = self.path == "/v1/traces"
                if found:
                    kept.extend(_told(ExportTraceServiceRequest.FromString(body)))
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_told: object) -> None:
                """The journeys' own output is enough."""

        return Handler


def _told(request: ExportTraceServiceRequest) -> Iterator[Told]:
    for resource in request.resource_spans:
        about = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _one(span, service=about["service.name"], around=tuple(about.values()))


def _one(span: Span, *, service: str, around: tuple[str, ...]) -> Told:
    return Told(
        service=service,
        name=span.name,
        kind=_KINDS.get(span.kind, "internal"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        links=frozenset(link.trace_id.hex() for link in span.links),
        said=(span.name, span.status.message, span.trace_state, *around, *_said(span)),
    )


def _said(span: Span) -> Iterator[str]:
    yield from _texts(span.attributes)
    for event in span.events:
        yield event.name
        yield from _texts(event.attributes)
    for link in span.links:
        yield link.trace_state
        yield from _texts(link.attributes)


def _texts(pairs: Iterable[KeyValue]) -> Iterator[str]:
    for pair in pairs:
        yield pair.key
        yield from _values(pair.value)


def _values(value: AnyValue) -> Iterator[str]:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        for item in value.array_value.values:
            yield from _values(item)
    elif kind == "kvlist_value":
        yield from _texts(value.kvlist_value.values)
    elif kind is not None:
        yield str(getattr(value, kind))
