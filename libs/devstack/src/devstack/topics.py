"""The topics of a fresh broker: ours, and the one that Kafka keeps its groups in."""

import asyncio
from typing import Final

from aiokafka import errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from devstack.parts.kafka import OFFSET_PARTITIONS
from messaging import KafkaSettings, admin

OFFSETS: Final = "__consumer_offsets"
_CONFIG: Final = {"cleanup.policy": "compact", "segment.bytes": "104857600", "compression.type": "producer"}
_TIMEOUT_S: Final = 60


async def prepare_broker(bootstrap: str) -> None:
    """Make every topic and wait until groups can be joined.

    A broker makes its offsets topic when the first group asks for its coordinator, in its own time (9 s were
    seen): meanwhile no consumer can join a group or learn where to read.
    """
    await admin.create_topics(KafkaSettings(kafka_bootstrap=bootstrap))
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await client.start()
        await client.create_topics([NewTopic(OFFSETS, OFFSET_PARTITIONS, 1, topic_configs=_CONFIG)])
        async with asyncio.timeout(_TIMEOUT_S):
            while not await _coordinates(client):  # noqa: ASYNC110  # nothing of the broker's tells us
                await asyncio.sleep(0.1)
    finally:
        await client.close()


async def _coordinates(client: AIOKafkaAdminClient) -> bool:
    """Whether the coordinator answers; asked for a group that is nobody's."""
    try:
        node = await client.find_coordinator("devstack")
        await client.list_consumer_group_offsets("devstack", group_coordinator_id=node)
    except (
        errors.GroupCoordinatorNotAvailableError,
        errors.GroupLoadInProgressError,
        errors.NotCoordinatorForGroupError,
    ):
        return False
    return True
