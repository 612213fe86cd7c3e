"""Traces cross processes by `traceparent` and never carry personal data."""

import subprocess
import sys
from collections.abc import Iterator
from time import monotonic, sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import get_global_textmap
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from telemetry import TelemetrySettings, tracing

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    memory = tracing.record_spans()
    yield memory
    memory.shutdown()


def test_a_remote_parent_is_continued(spans: InMemorySpanExporter) -> None:
    parent = tracing.parent_from({"Traceparent": f"00-{TRACE}-{SPAN}-01"})

    with tracing.span("accept_ride", kind=tracing.CONSUMER, parent=parent):
        headers = tracing.current_headers()

    (span,) = spans.get_finished_spans()
    assert headers["traceparent"].startswith(f"00-{TRACE}-")
    assert span.parent is not None
    assert format(span.parent.span_id, "016x") == SPAN
    assert span.kind is tracing.CONSUMER


@pytest.mark.parametrize(("flags", "left_out"), [("00", True), ("01", False), ("03", False)])
def test_only_what_was_not_sampled_is_left_out(flags: str, left_out: bool) -> None:
    parent = tracing.parent_from({"traceparent": f"00-{TRACE}-{SPAN}-{flags}"})

    assert tracing.left_out(parent) is left_out
    assert not tracing.left_out(tracing.parent_from({}))


def test_a_carried_trace_goes_on_as_it_came_and_leaves_nothing(spans: InMemorySpanExporter) -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-00"}

    with tracing.carried(tracing.parent_from(headers)):
        assert tracing.current_headers() == headers
        with tracing.span("below") as below:
            assert not below.is_recording()
            assert format(below.get_span_context().trace_id, "032x") == TRACE

    assert tracing.current_headers() == {}
    assert spans.get_finished_spans() == ()


def test_headers_that_went_out_come_back_as_the_parent(spans: InMemorySpanExporter) -> None:
    with tracing.span("publish") as publishing:
        stored = tracing.current_headers()
    with tracing.span("consume", parent=tracing.parent_from(stored)) as consuming:
        assert consuming.get_span_context().trace_id == publishing.get_span_context().trace_id


@pytest.mark.parametrize(
    "value",
    [
        "", "00", f"00-{TRACE}-{SPAN}", f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}-zz", "x" * 10_000,
    ],
)  # fmt: skip
def test_a_malformed_traceparent_starts_a_new_trace(value: str) -> None:
    context = tracing.parent_from({"traceparent": value})

    assert not trace.get_current_span(context).get_span_context().is_valid


@given(st.dictionaries(st.text(), st.text()))
def test_any_headers_can_be_read(headers: dict[str, str]) -> None:
    tracing.parent_from(headers)


def test_without_a_span_there_is_nothing_to_carry() -> None:
    assert tracing.current_headers() == {}


def test_an_exception_marks_the_span_and_its_text_is_masked(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="529"):
        with tracing.span(
            "register", attributes={"email": "maria@example.com", "note": "CPF 529.982.247-25"}
        ):
            raise ValueError("bad CPF 529.982.247-25")

    (span,) = spans.get_finished_spans()
    assert not span.status.is_ok
    assert span.attributes == {"email": "***", "note": "CPF ***"}
    assert "529.982" not in str([event.attributes for event in span.events])
    assert "529.982" not in str(span.status.description)


def test_what_others_put_on_a_span_is_masked_on_its_way_out(spans: InMemorySpanExporter) -> None:
    with trace.get_tracer("some.library").start_as_current_span("GET") as span:
        span.set_attribute("url.path", "/v1/ws/s3cr3t")
        span.set_attribute("url.query", "?hmac=s3cr3t")
        span.set_attribute("http.request.header.authorization", "Bearer s3cr3t-s3cr3t")

    (finished,) = spans.get_finished_spans()
    assert dict(finished.attributes or {}) == {}


@pytest.mark.parametrize(("environment", "ratio"), [("development", 1.0), ("production", 0.1)])
def test_production_samples_one_trace_in_ten_unless_told(environment: str, ratio: float) -> None:
    assert TelemetrySettings(environment=environment).sampling_ratio() == ratio
    assert TelemetrySettings(environment=environment, traces_sampling_ratio=0.5).sampling_ratio() == 0.5


def recorded(provider: TracerProvider, parent: Context) -> bool:
    return provider.get_tracer("x").start_span("x", context=parent).is_recording()


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_a_trace_that_begins_here_is_recorded_by_the_ratio(ratio: float) -> None:
    provider = tracing.make_provider(service="x", ratio=ratio, environment="test")

    assert recorded(provider, Context()) is (ratio == 1.0)


@pytest.mark.parametrize("ratio", [0.0, 1.0])
@pytest.mark.parametrize("flags", ["00", "01"])
def test_the_callers_decision_is_followed_whatever_the_ratio(ratio: float, flags: str) -> None:
    provider = tracing.make_provider(service="x", ratio=ratio, environment="test")
    parent = tracing.parent_from({"traceparent": f"00-{TRACE}-{SPAN}-{flags}"})

    assert recorded(provider, parent) is (flags == "01")


def test_about_as_many_traces_are_recorded_as_the_ratio_says() -> None:
    provider = tracing.make_provider(service="x", ratio=0.1, environment="test")

    assert 100 < sum(recorded(provider, Context()) for _ in range(2000)) < 300


def test_a_span_waits_no_longer_than_the_setting_says() -> None:
    memory = InMemorySpanExporter()
    provider = tracing.make_provider(service="x", ratio=1, environment="test", exporter=memory, delay_ms=10)
    provider.get_tracer("x").start_span("x", attributes={"url.path": "/s3cr3t", "email": "a@b.c"}).end()

    deadline = monotonic() + 3
    while not memory.get_finished_spans() and monotonic() < deadline:
        sleep(0.005)
    assert [dict(span.attributes or {}) for span in memory.get_finished_spans()] == [{"email": "***"}]
    provider.shutdown()


def test_instrumentations_carry_the_traceparent_and_nothing_else() -> None:
    theirs = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1", "baggage": "cpf=1"}
    context = tracing.TraceParent().extract(theirs)
    carried: dict[str, str] = {}
    tracing.TraceParent().inject(carried, context)

    assert carried == {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    assert tracing.TraceParent().fields == {"traceparent"}
    assert not trace.get_current_span(tracing.TraceParent().extract({})).get_span_context().is_valid


def test_configuring_keeps_the_first_provider() -> None:
    tracing.record_spans()
    provider = trace.get_tracer_provider()

    tracing.configure_tracing(service="x", ratio=1.0, otlp_endpoint=None, environment="test")

    assert isinstance(get_global_textmap(), tracing.TraceParent)
    assert isinstance(provider, TracerProvider)
    assert trace.get_tracer_provider() is provider
    tracing.flush()


CONFIGURED = """
import os
from opentelemetry import trace
from telemetry import tracing
tracing.configure_tracing(service="x", ratio=1.0, otlp_endpoint={endpoint!r}, environment="test")
with tracing.span("a") as span:
    print(span.is_recording(), len(tracing.current_headers()["traceparent"]))
os._exit(0)  # nobody waits for an export
"""


@pytest.mark.parametrize(("endpoint", "recorded"), [(None, "False"), ("http://127.0.0.1:1", "True")])
def test_what_nobody_will_read_is_not_recorded_but_has_its_ids(endpoint: str | None, recorded: str) -> None:
    # A process has one provider, once.
    code = CONFIGURED.format(endpoint=endpoint)
    said = subprocess.run([sys.executable, "-uc", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == [recorded, "55"]
