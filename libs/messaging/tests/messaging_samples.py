"""What the tests of this library share: a rig of one service, facts, and readers of topics and effects."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiokafka
from aiokafka.partitioner import murmur2
from prometheus_client import REGISTRY
from sqlalchemy import text

from contracts.audit import AuditRecorded
from contracts.base import Fact
from contracts.topics import AUDIT
from kernel.ids import new_id
from messaging import BatchHandler, Delivery, Handler, KafkaSettings, Schedule, Worker
from storage import Database, DatabaseSettings, Transaction
from testkit import DatabaseUrls

SAMPLE_CONSUMER: Final = Path(__file__).parent / "sample_consumer"
SERVICE: Final = "sample"
QUICK: Final[Mapping[str, Any]] = {
    "consumer_retry_first_s": 0.01,
    "consumer_retry_longest_s": 0.05,
    "consumer_session_s": 6,
    "sweep_every_s": 0.05,
    "sweep_first_retry_s": 600,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """One service: its database and its Kafka settings."""

    database: Database[Transaction]
    settings: KafkaSettings

    @asynccontextmanager
    async def working(
        self,
        handlers: Mapping[type[Any], Handler] | None = None,
        *,
        streams: Mapping[type[Any], BatchHandler] | None = None,
        jobs: Mapping[Schedule, Callable[[], Awaitable[None]]] | None = None,
        **changes: Any,
    ) -> AsyncIterator[Worker[Transaction]]:
        """A worker, stopped at the end of the block."""
        worker = Worker(
            database=self.database,
            settings=self.settings.model_copy(update=changes),
            service=SERVICE,
            handlers=handlers or {},
            streams=streams or {},
            jobs=jobs or {},
        )
        await worker.start()
        try:
            yield worker
        finally:
            await worker.stop()

    async def publish(self, *facts: Fact, version: int = 0) -> None:
        async with self.database.transaction() as tx:
            for fact in facts:
                await tx.publish(fact, version=version)

    async def effects(self, key: str | None = None) -> list[str]:
        """The notes of all effects, or of one key's, in the order in which they happened."""
        where = "WHERE key = :key" if key else "WHERE CAST(:key AS text) IS NULL"
        return list(await self.column(f"SELECT note FROM effect {where} ORDER BY id", key=key))

    async def column(self, statement: str, **parameters: Any) -> Sequence[Any]:
        async with self.database.reading() as tx:
            return (await tx.session.execute(text(statement), parameters)).scalars().all()

    async def scalar(self, statement: str, **parameters: Any) -> Any:
        return (await self.column(statement, **parameters))[0]

    async def outbox_is_empty(self) -> bool:
        return bool(await self.scalar("SELECT count(*) = 0 FROM outbox"))


@asynccontextmanager
async def rigged(urls: DatabaseUrls, settings: KafkaSettings, **changes: Any) -> AsyncIterator[Rig]:
    """A rig on a migrated database, closed at the end."""
    given = DatabaseSettings(database_url=urls.app_url, database_owner_url=urls.owner_url, **changes)
    database = Database(given, service=SERVICE, make=Transaction)
    try:
        yield Rig(database=database, settings=settings.model_copy(update=dict(QUICK)))
    finally:
        await database.dispose()


def recorded(key: str, note: str = "") -> AuditRecorded:
    """A fact of aggregate `key` that says `note`."""
    return AuditRecorded(
        record_id=new_id(),
        action="test",
        entity_type="thing",
        entity_id=key,
        user_type="system",
        reason=note,
        occurred_at=datetime.now(UTC),
    )


async def write_effect(tx: Transaction, fact: AuditRecorded, delivery: Delivery) -> None:
    """The plainest handler: one row an event."""
    await tx.session.execute(
        text("INSERT INTO effect (key, note) VALUES (:key, :note)"),
        {"key": delivery.key, "note": fact.reason or ""},
    )


async def produce(
    settings: KafkaSettings, topic: str, *records: tuple[str, bytes | None, Mapping[str, str]]
) -> None:
    """Write (key, value, headers) straight into a topic, as a stranger would."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    try:
        for key, value, headers in records:
            await producer.send_and_wait(
                settings.kafka_topic_prefix + topic,
                key=key.encode(),
                value=value,
                headers=[(name, text_.encode()) for name, text_ in headers.items()],
            )
    finally:
        await producer.stop()


async def read_topic(settings: KafkaSettings, topic: str = AUDIT.name) -> list[Any]:
    """Every record of a topic up to its present end, in order within each partition."""
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        name = settings.kafka_topic_prefix + topic
        partitions = await consumer._client._wait_on_metadata(name)
        places = [aiokafka.TopicPartition(name, number) for number in partitions]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        records: list[Any] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                records.extend(batch)
        return records
    finally:
        await consumer.stop()


async def committed_offset(settings: KafkaSettings, topic: str = AUDIT.name) -> int:
    """What the service's group has committed, over all partitions."""
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(settings.kafka_topic_prefix + SERVICE)
        name = settings.kafka_topic_prefix + topic
        return sum(int(meta.offset) for place, meta in offsets.items() if place.topic == name)
    finally:
        await admin.close()


def keys_of_one_partition(count: int, *, partitions: int = 3) -> list[str]:
    """Keys that the partitioner puts side by side."""
    keys = (f"key{n}" for n in range(1000))
    return [key for key in keys if (murmur2(key.encode()) & 0x7FFFFFFF) % partitions == 0][:count]


def metric(name: str, **labels: str) -> float:
    """A metric's present value; 0 before its first change."""
    return REGISTRY.get_sample_value(name, labels) or 0.0
