"""Each request leaves one id, one metric, one span and one log line, none of which holds its path."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from web_samples import OWNED, client_of, make_app, passenger

import web
from telemetry import tracing

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
    assert traced.name == "GET /things/{thing_id}"
    assert TRACE in traced.to_json()
    assert traced.kind is tracing.SERVER
    assert (traced.attributes or {})["http.response.status_code"] == 200
    assert unmatched.name == "GET unmatched"
    assert "s3cr3t" not in "".join(span.to_json() for span in (traced, unmatched))


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
