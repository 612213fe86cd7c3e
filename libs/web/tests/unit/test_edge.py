"""Each request leaves one id, one metric, one span and one log line, none of which holds its path."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import WebSocket
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client import REGISTRY
from starlette.types import ASGIApp, Message
from structlog.testing import capture_logs
from web_samples import OWNED, client_of, make_app, passenger

import web
from telemetry import tracing
from telemetry.logs import make_formatter

TRACE = "0af7651916cd43dd8448eb211c80319c"
COUNT = "http_request_duration_seconds_count"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    memory = tracing.record_spans()
    yield memory
    memory.shutdown()


def counted(**labels: str) -> float:
    return REGISTRY.get_sample_value(COUNT, labels) or 0.0


async def test_a_request_without_an_id_gets_one() -> None:
    async with client_of(make_app()) as client:
        ids = {(await client.get("/nothing")).headers["x-request-id"] for _ in range(3)}

    assert len(ids) == 3
    assert all(UUID(request_id).version == 7 for request_id in ids)


async def test_metrics_count_by_template_method_and_status() -> None:
    labels = {"route": "/things/{thing_id}", "method": "GET", "status": "200"}
    before = counted(**labels)
    async with client_of(make_app()) as client:
        for _ in range(3):
            await client.get(f"/things/{uuid4()}")

    assert counted(**labels) == before + 3


async def test_unknown_paths_and_methods_do_not_grow_the_metrics() -> None:
    before = counted(route="unmatched", method="OTHER", status="404")
    async with client_of(make_app()) as client:
        for number in range(5):
            await client.request(f"BREW{number}", f"/secret-{number}")
        text = (await client.get("/metrics")).text

    assert counted(route="unmatched", method="OTHER", status="404") == before + 5
    assert "secret-" not in text
    assert "BREW" not in text


async def test_probes_are_not_measured() -> None:
    async with client_of(make_app()) as client:
        for path in ("/health", "/ready", "/metrics"):
            assert (await client.get(path)).headers["x-request-id"]
        text = (await client.get("/metrics")).text

    assert 'route="/health"' not in text
    assert "python_info" in text


async def test_a_span_continues_the_callers_trace_and_is_named_after_the_route(
    spans: InMemorySpanExporter,
) -> None:
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    async with client_of(make_app()) as client:
        await client.get(f"/things/{OWNED}?token=s3cr3t", headers=headers)
        await client.get("/ws/s3cr3t")

    traced, unmatched = spans.get_finished_spans()
    assert traced.instrumentation_scope is not None
    assert traced.instrumentation_scope.name.startswith("opentelemetry.instrumentation.")
    assert traced.name == "GET /things/{thing_id}"
    assert TRACE in traced.to_json()
    assert traced.kind is tracing.SERVER
    assert (traced.attributes or {})["http.response.status_code"] == 200
    assert unmatched.name == "GET unmatched"
    assert "s3cr3t" not in "".join(span.to_json() for span in (traced, unmatched))


async def test_a_span_says_nothing_of_who_asked_and_for_what(spans: InMemorySpanExporter) -> None:
    headers = {"user-agent": "agent-s3cr3t", "host": "s3cr3t.invalid", "tracestate": "s3cr3t=1"}
    async with client_of(make_app()) as client:
        await client.request("S3CR3T", "/s3cr3t/s3cr3t?x=s3cr3t", headers=headers)
        await client.get(f"/things/{OWNED}", headers=headers)

    odd, plain = spans.get_finished_spans()
    assert odd.name == "OTHER unmatched"
    assert "s3cr3t" not in (odd.to_json() + plain.to_json()).lower()
    assert set(plain.attributes or {}) == {
        "http.request.method", "http.response.status_code", "http.route", "network.protocol.version",
        "request_id", "url.scheme",
    }  # fmt: skip


async def test_a_request_has_one_span_and_probes_and_sockets_have_none(spans: InMemorySpanExporter) -> None:
    app = make_app()

    async def open_socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    app.add_api_websocket_route("/ws/{token}", open_socket)
    async with client_of(app) as client:
        for path in ("/health", "/ready", "/metrics"):
            await client.get(path)
        await _shake_hands(app, path="/ws/s3cr3t")
        assert spans.get_finished_spans() == ()
        await client.post(f"/things/{OWNED}", headers=passenger(), json={"lat": 1, "amount": "1.00"})

    assert [span.name for span in spans.get_finished_spans()] == ["POST /things/{thing_id}"]


async def _shake_hands(app: ASGIApp, *, path: str) -> None:
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    scope = {"type": "websocket", "scheme": "ws", "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)
    assert sent == ["websocket.accept", "websocket.close"]


async def test_a_bug_fails_the_span_and_a_refusal_does_not(spans: InMemorySpanExporter) -> None:
    async with client_of(make_app()) as client:
        await client.get("/boom")
        await client.get("/nothing")

    bug, refusal = spans.get_finished_spans()
    assert bug.status.status_code is StatusCode.ERROR
    assert refusal.status.status_code is StatusCode.UNSET
    assert "s3cr3t" not in bug.to_json()


async def test_a_request_whose_client_left_is_counted_as_such(spans: InMemorySpanExporter) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/echo", "query_string": b"", "headers": []}
    before = counted(route="/echo", method="POST", status="499")
    await make_app()(scope, receive, send)

    assert counted(route="/echo", method="POST", status="499") == before + 1
    (span,) = spans.get_finished_spans()
    assert span.name == "POST /echo"
    assert (span.attributes or {})["http.response.status_code"] == 499


async def test_the_log_line_carries_the_trace(
    spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="web.edge")
    caplog.handler.setFormatter(make_formatter(service="sample", style="json"))
    async with client_of(make_app()) as client:
        await client.get(f"/things/{OWNED}", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})

    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert TRACE in caplog.text


async def test_one_log_line_tells_what_happened() -> None:
    with capture_logs() as logs:
        async with client_of(make_app()) as client:
            await client.post(
                f"/things/{OWNED}?x=s3cr3t", headers=passenger(), json={"lat": 1, "amount": "1.00"}
            )

    lines: list[Any] = [line for line in logs if line["event"] == "http_request"]
    assert len(lines) == 1
    assert lines[0]["operation"] == "make_thing"
    assert (lines[0]["method"], lines[0]["route"], lines[0]["status"]) == ("POST", "/things/{thing_id}", 200)
    assert "s3cr3t" not in str(logs)


async def test_cors_answers_the_origins_of_the_setting_only() -> None:
    app = make_app(settings=web.WebSettings(cors_origins=("https://app.ibora.invalid",)))
    async with client_of(app) as client:
        ours = await client.get("/boom", headers={"origin": "https://app.ibora.invalid"})
        theirs = await client.get("/boom", headers={"origin": "https://evil.invalid"})
        preflight = await client.options(
            "/things",
            headers={"origin": "https://app.ibora.invalid", "access-control-request-method": "POST"},
        )

    assert ours.status_code == 500
    assert ours.headers["access-control-allow-origin"] == "https://app.ibora.invalid"
    assert "access-control-allow-origin" not in theirs.headers
    assert preflight.status_code == 200


async def test_without_origins_there_is_no_cors() -> None:
    async with client_of(make_app()) as client:
        response = await client.get("/boom", headers={"origin": "https://app.ibora.invalid"})

    assert not [name for name in response.headers if name.startswith("access-control")]
