"""Topics of a test's own: the contract's, under a prefix that no other test has, on few partitions."""

from aiokafka.admin import AIOKafkaAdminClient

from messaging import KafkaSettings, admin

PARTITIONS = 3


async def create(settings: KafkaSettings) -> None:
    """Every topic of the contract, under the settings' prefix."""
    await admin.create_topics(settings, partitions=PARTITIONS)


async def delete(bootstrap: str, *, prefix: str) -> None:
    """Delete every topic whose name starts with the prefix."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        names = [name for name in await client.list_topics() if name.startswith(prefix)]
        if names:
            await client.delete_topics(names)
    finally:
        await client.close()
