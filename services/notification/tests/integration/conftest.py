"""Settings of a notification on real parts."""

from collections.abc import Callable

import pytest

from notification.settings import Settings
from testkit import DatabaseUrls


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
