"""A rig for each test: a migrated database and topics of its own."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from messaging_samples import SAMPLE_CONSUMER, Rig, rigged

from messaging import KafkaSettings
from testkit import DatabaseUrls


@pytest.fixture
def urls(make_database: Callable[[str | Path | None], DatabaseUrls]) -> DatabaseUrls:
    return make_database(SAMPLE_CONSUMER)


@pytest.fixture
async def rig(urls: DatabaseUrls, kafka_settings: KafkaSettings) -> AsyncIterator[Rig]:
    async with rigged(urls, kafka_settings) as made:
        yield made
