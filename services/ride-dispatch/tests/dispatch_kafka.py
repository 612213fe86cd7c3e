"""Facts of other services put on their topics, and ours read back from Kafka."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiokafka  # type: ignore[import-untyped]

from contracts.base import Fact
from contracts.registry import BY_TYPE
from contracts.topics import Topic
from kernel.clock import SystemClock
from kernel.ids import new_id
from messaging import KafkaSettings
from storage.outbox_row import Envelope, fact_headers


async def produce(settings: KafkaSettings, facts: Sequence[Fact], *, service: str) -> None:
    """Put facts on their topics as `service`'s relay would."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    try:
        for fact in facts:
            await producer.send_and_wait(
                settings.kafka_topic_prefix + fact.topic.name,
                value=fact.model_dump_json().encode(),
                key=fact.key().encode(),
                headers=[(name, text.encode()) for name, text in _headers(fact, service=service).items()],
            )
    finally:
        await producer.stop()


async def read_until(settings: KafkaSettings, topic: Topic, *, last: str) -> list[Fact]:
    """The facts of a topic from its start up to the first of the bare name `last`."""
    consumer = aiokafka.AIOKafkaConsumer(
        settings.kafka_topic_prefix + topic.name,
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="earliest",
        group_id=None,
    )
    await consumer.start()
    facts: list[Fact] = []
    try:
        async for record in consumer:
            fact = _fact(record)
            facts.append(fact)
            if fact.fact == last:
                break
    finally:
        await consumer.stop()
    return facts


def _headers(fact: Fact, *, service: str) -> Mapping[str, str]:
    event_id = new_id()
    envelope = Envelope(
        event_id=event_id,
        service=service,
        time=SystemClock().now(),
        correlation_id=event_id,
        causation_id=None,
    )
    return fact_headers(fact, version=1, envelope=envelope)


def _fact(record: Any) -> Fact:
    headers = {name: value.decode() for name, value in record.headers}
    return BY_TYPE[headers["ce_type"]].model_validate_json(record.value)
