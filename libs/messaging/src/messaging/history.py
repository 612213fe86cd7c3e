"""Reads all that a topic still holds, outside any group."""

import aiokafka
from aiokafka.errors import KafkaError

from contracts.base import Fact
from contracts.registry import BY_TYPE
from contracts.topics import Topic
from kernel.refusals import Unavailable
from messaging.envelope import event_type, fact_of
from messaging.kafka import as_record, connection_options, started
from messaging.rebuild import POLL_MS, assign_all, behind
from messaging.settings import KafkaSettings


async def read_facts(settings: KafkaSettings, *, topic: Topic) -> list[Fact]:
    """The facts of `topic` up to its present end, in order within a partition; ValueError for an unreadable one.

    Everything is kept in memory: for small topics. Unavailable when no broker answers.
    """
    consumer = aiokafka.AIOKafkaConsumer(
        group_id=None, auto_offset_reset="earliest", enable_auto_commit=False, **connection_options(settings)
    )
    try:
        await started(consumer)
    except KafkaError as error:
        raise Unavailable(f"Kafka does not answer: {type(error).__name__}") from error
    facts: list[Fact] = []
    try:
        ends = await assign_all(consumer, settings.kafka_topic_prefix + topic.name)
        while await behind(consumer, ends):
            for batch in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                for raw in batch:
                    record = as_record(raw, prefix=settings.kafka_topic_prefix)
                    type_name = event_type(record)
                    if type_name is not None and type_name in BY_TYPE:
                        facts.append(fact_of(record, type_name=type_name))
    finally:
        await consumer.stop()
    return facts
