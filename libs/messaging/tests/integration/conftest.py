"""A rig for each test: a migrated database and topics of its own."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from messaging_samples import SAMPLE_CONSUMER, Rig, rigged

from contracts.topics import AUDIT, LOCATIONS, PROFILES
from messaging import KafkaSettings, admin
from testkit import DatabaseUrls
from testkit.infrastructure import Infrastructure


@pytest.fixture
def urls(make_database: Callable[[str | Path | None], DatabaseUrls]) -> DatabaseUrls:
    return make_database(SAMPLE_CONSUMER)


@pytest.fixture
async def kafka_settings(infrastructure: Infrastructure, kafka_prefix: str) -> KafkaSettings:
    """The three topics that these tests use; the contract's other eight would only take time."""
    settings = KafkaSettings(kafka_bootstrap=infrastructure.kafka, kafka_topic_prefix=kafka_prefix)
    await admin.create_topics(settings, topics=[AUDIT, PROFILES, LOCATIONS], partitions=3)
    return settings


@pytest.fixture
async def rig(urls: DatabaseUrls, kafka_settings: KafkaSettings) -> AsyncIterator[Rig]:
    async with rigged(urls, kafka_settings) as made:
        yield made
