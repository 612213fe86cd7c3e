"""What goes to Sentry holds no personal data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from telemetry.crash_reports import before_send, configure_crash_reports


class Collector(Transport):
    """Keeps envelopes instead of sending them."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        super().__init__(options)
        self.sent: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope)


@pytest.fixture
def dsn_file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "dsn"
    path.write_text("https://key@sentry.invalid/1\n")
    yield path
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)


def test_without_a_file_nothing_is_started() -> None:
    configure_crash_reports(None, service="x", environment="test")

    assert not sentry_sdk.get_client().is_active()


def test_a_reported_error_is_masked(dsn_file: Path) -> None:
    configure_crash_reports(dsn_file, service="identity", environment="test")
    client = sentry_sdk.get_client()
    collector = Collector()
    client.transport = collector

    try:
        cpf = "529.982.247-25"
        raise ValueError(f"bad CPF {cpf} of maria@example.com")
    except ValueError as error:
        sentry_sdk.capture_exception(error)

    sent = b"".join(envelope.serialize() for envelope in collector.sent).decode()
    assert "ValueError" in sent
    assert "529.982" not in sent
    assert "maria@example.com" not in sent
    assert '"server_name":"identity"' in sent


def test_a_request_goes_without_headers_cookies_and_body() -> None:
    event = {
        "request": {
            "url": "http://x/v1/ws/s3cr3t",
            "headers": {"authorization": "Bearer s3cr3t"},
            "cookies": "s3cr3t",
            "data": {"password": "s3cr3t"},
            "query_string": "hmac=s3cr3t",
        }
    }

    masked = before_send(cast(Any, event), {})

    assert masked is not None
    assert "s3cr3t" not in str(masked)
    assert set(masked["request"]) == {"url"}
