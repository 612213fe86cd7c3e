"""Makes the topics of `contracts.topics`: partitions, retention and cleanup as declared there."""

from collections.abc import Iterable
from typing import Final

from aiokafka import errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import TOPICS, Topic
from messaging.kafka import connection_options
from messaging.settings import KafkaSettings

MESSAGE_LIMIT_BYTES: Final = 1_048_588
_FINE: Final = (errors.NoError.errno, errors.TopicAlreadyExistsError.errno)


async def create_topics(
    settings: KafkaSettings,
    *,
    topics: Iterable[Topic] = TOPICS,
    partitions: int | None = None,
    replication_factor: int = 1,
) -> None:
    """Create the topics that are missing, under the settings' prefix; existing ones stay as they are.

    `partitions` replaces the declared number, for tests. Raises a KafkaError when the broker refuses.
    """
    wanted = [
        NewTopic(
            settings.kafka_topic_prefix + topic.name,
            partitions or topic.partitions,
            replication_factor,
            topic_configs=topic_config(topic, replication_factor=replication_factor),
        )
        for topic in topics
    ]
    client = AIOKafkaAdminClient(**connection_options(settings))
    try:
        await client.start()
        response = await client.create_topics(wanted)
    finally:
        await client.close()
    for name, code, *_ in response.topic_errors:
        if code not in _FINE:
            raise errors.for_code(code)(name)


def topic_config(topic: Topic, *, replication_factor: int) -> dict[str, str]:
    """A topic's broker settings."""
    config = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "max.message.bytes": str(MESSAGE_LIMIT_BYTES),
        "min.insync.replicas": "2" if replication_factor > 2 else "1",
    }
    if topic.retention_ms is not None:
        config["retention.ms"] = str(topic.retention_ms)
    return config
