"""Reads a compacted topic from its start into a projection, outside any group."""

from collections.abc import Sequence
from typing import Any, TypeVar

import aiokafka

from contracts.registry import BY_TYPE
from contracts.topics import Topic
from kernel.clock import Clock, SystemClock
from messaging.delivery import Handler
from messaging.envelope import delivery_of, event_type, fact_of
from messaging.kafka import as_record, connection_options, started
from messaging.ports import Record
from messaging.settings import KafkaSettings
from storage import Database, Transaction
from telemetry import get_logger

log = get_logger(__name__)

T = TypeVar("T", bound=Transaction)
POLL_MS = 1000


async def rebuild(
    settings: KafkaSettings,
    *,
    service: str,
    topic: Topic,
    handler: Handler,
    database: Database[T],
    clock: Clock = SystemClock(),  # noqa: B008  # stateless
) -> int:
    """Give every fact of `topic`, up to its present end, to `handler`, in batches; returns how many.

    There is no inbox: the handler must be an upsert that ignores older versions. Tombstones and unreadable
    records are passed over (the latter logged).
    """
    assert topic.compacted, f"{topic.name} is not compacted: it does not hold the whole state"
    consumer = aiokafka.AIOKafkaConsumer(
        group_id=None, auto_offset_reset="earliest", enable_auto_commit=False, **connection_options(settings)
    )
    await started(consumer)
    try:
        ends = await assign_all(consumer, settings.kafka_topic_prefix + topic.name)
        count = 0
        while await behind(consumer, ends):
            batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=settings.consumer_max_records)
            raws = [raw for batch in batches.values() for raw in batch]
            records = [as_record(raw, prefix=settings.kafka_topic_prefix) for raw in raws]
            count += await _apply(records, handler=handler, database=database, clock=clock)
    finally:
        await consumer.stop()
    log.info("rebuild", service=service, topic=topic.name, facts=count)
    return count


async def assign_all(consumer: Any, name: str) -> dict[Any, int]:
    partitions = await consumer._client._wait_on_metadata(name)
    places = [aiokafka.TopicPartition(name, partition) for partition in partitions]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    ends: dict[Any, int] = await consumer.end_offsets(places)
    return ends


async def behind(consumer: Any, ends: dict[Any, int]) -> bool:
    for place, end in ends.items():
        if await consumer.position(place) < end:
            return True
    return False


async def _apply(records: Sequence[Record], *, handler: Handler, database: Database[T], clock: Clock) -> int:
    count = 0
    if not records:
        return count
    async with database.transaction() as tx:
        for record in records:
            if record.value is None or event_type(record) not in BY_TYPE:
                continue
            try:
                delivery = delivery_of(record, now=clock.now())
                fact = fact_of(record, type_name=delivery.type)
            except ValueError as error:
                log.error(
                    "rebuild_unreadable", topic=record.topic, offset=record.offset, error=type(error).__name__
                )
                continue
            await handler(tx, fact, delivery)
            count += 1
    return count
