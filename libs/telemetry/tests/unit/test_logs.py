"""One masked JSON object a line, for our loggers and everyone else's."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog

from telemetry import bind, bound, get_logger, tracing, unbind
from telemetry.logs import configure_logs, configure_plain, make_formatter

CPF = "529.982.247-25"


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.contextvars.clear_contextvars()
    configure_plain()


def lines(captured: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.readouterr().out.splitlines()]


def test_a_line_names_its_service_event_level_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(service="ride-dispatch", level="INFO", style="json")

    get_logger("rides").info("accept_ride", ride_id=uuid4())

    (line,) = lines(capsys)
    assert (line["service"], line["event"], line["level"]) == ("ride-dispatch", "accept_ride", "info")
    assert line["timestamp"].endswith("Z")


def test_the_standard_library_and_uvicorn_come_out_alike(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(service="x", level="INFO", style="json")

    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', "1.2.3.4:5", "/ws/s3cr3t")
    logging.getLogger("some.library").warning("hello %s", "world", extra={"cpf": CPF})

    socket, library = lines(capsys)
    assert socket["event"] == '1.2.3.4:5 - "WebSocket /ws/***" [accepted]'
    assert (library["event"], library["cpf"], library["service"]) == ("hello world", "***", "x")


def test_canaries_appear_on_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(service="x", level="INFO", style="json")
    log = get_logger("canary")

    log.info("registered", email="maria@example.com", body={"pix_key": "x-1", "note": f"CPF {CPF}"})
    log.info("CPF is %s", CPF)
    try:
        raise ValueError(f"bad document {CPF} of maria@example.com")
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("failed")

    out = capsys.readouterr().out
    assert len(out.splitlines()) == 4
    assert not any(canary in out for canary in (CPF, "maria@example.com", "x-1"))
    assert "ValueError" in out


def test_bound_ids_are_on_every_line_until_they_are_unbound(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(service="x", level="INFO", style="json")
    log = get_logger("ids")

    bind(user_id="u-1")
    with bound(request_id="r-1", ride_id="d-1"):
        log.info("inside")
    log.info("outside")
    unbind("user_id", "never_bound")
    log.info("after")

    inside, outside, after = lines(capsys)
    assert (inside["request_id"], inside["ride_id"], inside["user_id"]) == ("r-1", "d-1", "u-1")
    assert "request_id" not in outside
    assert outside["user_id"] == "u-1"
    assert "user_id" not in after


def test_the_current_span_is_on_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(service="x", level="INFO", style="json")
    tracing.record_spans()

    with tracing.span("accept_ride"):
        traceparent = tracing.current_headers()["traceparent"]
        get_logger("x").info("inside")

    (line,) = lines(capsys)
    assert traceparent.split("-")[1:3] == [line["trace_id"], line["span_id"]]


def test_a_level_below_the_setting_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(service="x", level="warning", style="json")

    get_logger("x").info("quiet")
    get_logger("x").warning("loud")

    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_configuring_twice_prints_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(service="x", level="INFO", style="json")
    configure_logs(service="y", level="INFO", style="json")

    get_logger("x").info("once")

    (line,) = lines(capsys)
    assert line["service"] == "y"


def test_unserializable_and_odd_values_still_make_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(service="x", level="INFO", style="json")

    get_logger("x").info("odd", thing=object(), text="\ud800 two\nlines", when=uuid4())

    (line,) = lines(capsys)
    assert line["event"] == "odd"


def test_the_console_style_is_masked_too() -> None:
    formatter = make_formatter(service="x", style="console")
    record = logging.LogRecord("x", logging.INFO, "f", 1, "CPF %s", (CPF,), None)

    assert CPF not in formatter.format(record)


def test_without_configuration_lines_are_masked_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    configure_plain()

    with caplog.at_level(logging.INFO):
        get_logger("x").info("registered", cpf=CPF, note=f"call {CPF}")

    assert "registered" in caplog.text
    assert CPF not in caplog.text
