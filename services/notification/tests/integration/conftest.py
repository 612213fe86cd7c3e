"""Settings of a notification on real parts."""

from collections.abc import Callable, Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from notification.settings import Settings
from telemetry import tracing
from testkit import DatabaseUrls


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """The spans that end during the test."""
    memory = tracing.record_spans()
    yield memory
    memory.shutdown()


@pytest.fixture
def notification_settings(make_database: Callable[..., DatabaseUrls], valkey_url: str) -> Settings:
    urls = make_database("notification")
    return Settings(
        database_url=urls.app_url,
        kafka_bootstrap="127.0.0.1:1",
        valkey_url=valkey_url,
        service_port=0,
        drain_s=0,
        public_url="http://gateway.test:8000",
    )
