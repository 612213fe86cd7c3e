"""How fast facts travel: outbox to Kafka, Kafka to a handler, against raw aiokafka on the same broker."""

import asyncio
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy import text

from contracts.base import Fact
from contracts.ride_dispatch import RideStarted
from contracts.topics import RIDES
from kernel.ids import new_id
from load.bench import Bench
from load.figure import Figure, percentile
from messaging import Delivery, KafkaSettings, Worker
from storage import Database, DatabaseSettings, Transaction

EVENTS = 20_000
PER_TRANSACTION = 500
KEYS = 1_000
PACED_EVENTS = 2_000
PACE_S = 0.002


def facts(count: int) -> list[RideStarted]:
    rides = [new_id() for _ in range(KEYS)]
    now = datetime.now(UTC)
    return [
        RideStarted(ride_id=rides[n % KEYS], passenger_id=new_id(), driver_id=new_id(), started_at=now)
        for n in range(count)
    ]


def open_database(settings: DatabaseSettings) -> Database[Transaction]:
    return Database(settings, service="bench", make=Transaction)


async def append(database: Database[Transaction], made: list[RideStarted]) -> None:
    for first in range(0, len(made), PER_TRANSACTION):
        async with database.transaction() as tx:
            for fact in made[first : first + PER_TRANSACTION]:
                await tx.publish(fact)


async def raw_produce(settings: KafkaSettings, made: list[RideStarted]) -> float:
    """Records a second of an idempotent producer with the same payloads, keys and header count."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        enable_idempotence=True,
        acks="all",
        max_batch_size=262_144,
    )
    await producer.start()
    headers = [(f"ce_{n}", b"0" * 36) for n in range(8)]
    topic = settings.kafka_topic_prefix + RIDES.name
    try:
        started = perf_counter()
        for first in range(0, len(made), PER_TRANSACTION):
            chunk = made[first : first + PER_TRANSACTION]
            sent = [
                await producer.send(
                    topic, fact.model_dump_json().encode(), fact.key().encode(), headers=headers
                )
                for fact in chunk
            ]
            await asyncio.gather(*sent)
        return len(made) / (perf_counter() - started)
    finally:
        await producer.stop()


async def relay_throughput(bench: Bench) -> list[Figure]:
    """A full outbox is drained; the yardstick sends as many records without any outbox."""
    made, settings = facts(EVENTS), bench.kafka()
    await bench.topics(settings)
    async with bench.database("backoffice") as addresses:
        database = open_database(addresses)
        await append(database, made)
        worker = Worker(database=database, settings=settings, service="bench", handlers={})
        started = perf_counter()
        await worker.start()
        await _until_empty(database)
        rate = EVENTS / (perf_counter() - started)
        await worker.stop()
        await database.dispose()
    raw = await raw_produce(settings, made)
    return [
        Figure(
            name="relay_throughput",
            value=rate,
            unit="events/s",
            yardstick="raw aiokafka, idempotent",
            yardstick_value=raw,
        )
    ]


async def _until_empty(database: Database[Transaction]) -> None:
    while True:
        async with database.reading() as tx:
            left = (await tx.session.execute(text("SELECT EXISTS (SELECT 1 FROM outbox)"))).scalar_one()
        if not left:
            return
        await asyncio.sleep(0.02)


async def consume_throughput(bench: Bench) -> list[Figure]:
    """Every event once through inbox and handler, in transactions; the yardstick only fetches."""
    made, settings = facts(EVENTS), bench.kafka()
    await bench.topics(settings)
    async with bench.database("backoffice") as addresses:
        database = open_database(addresses)
        await append(database, made)
        relay = Worker(database=database, settings=settings, service="bench", handlers={})
        await relay.start()
        await _until_empty(database)
        await relay.stop()
        rate = await _consume(database, settings)
        await database.dispose()
    raw = await _raw_consume(settings)
    return [
        Figure(
            name="consume_throughput",
            value=rate,
            unit="events/s",
            yardstick="raw aiokafka getmany",
            yardstick_value=raw,
        )
    ]


async def _consume(database: Database[Transaction], settings: KafkaSettings) -> float:
    seen = 0
    first = last = 0.0

    async def handle(tx: Any, fact: Fact, delivery: Delivery) -> None:
        nonlocal seen, first, last
        last = perf_counter()
        first = first or last
        seen += 1

    worker = Worker(
        database=database, settings=settings, service="bench-consumer", handlers={RideStarted: handle}
    )
    await worker.start()
    while seen < EVENTS:
        await asyncio.sleep(0.02)
    await worker.stop()
    return EVENTS / (last - first)


async def _raw_consume(settings: KafkaSettings) -> float:
    consumer = AIOKafkaConsumer(
        settings.kafka_topic_prefix + RIDES.name,
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="earliest",
        group_id=None,
    )
    await consumer.start()
    try:
        seen, started = 0, perf_counter()
        while seen < EVENTS:
            batches = await consumer.getmany(timeout_ms=1000, max_records=500)
            seen += sum(len(records) for records in batches.values())
        return seen / (perf_counter() - started)
    finally:
        await consumer.stop()


async def publish_latency(bench: Bench) -> list[Figure]:
    """p99 from just before the commit to the handler of another service, at 500 events/s, one a transaction.

    The yardstick is a record that is sent and acknowledged by raw aiokafka.
    """
    settings = bench.kafka()
    await bench.topics(settings)
    async with bench.database("backoffice") as addresses:
        database = open_database(addresses)
        latencies = await _paced(database, settings)
        await database.dispose()
    raw = await _raw_round_trips(settings)
    return [
        Figure(
            name="publish_latency_p99",
            value=percentile(latencies, 0.99) * 1000,
            unit="ms",
            yardstick="raw aiokafka send_and_wait p99",
            yardstick_value=percentile(raw, 0.99) * 1000,
        )
    ]


async def _paced(database: Database[Transaction], settings: KafkaSettings) -> list[float]:
    sent: dict[str, float] = {}
    latencies: list[float] = []

    async def handle(tx: Any, fact: RideStarted, delivery: Delivery) -> None:
        latencies.append(perf_counter() - sent[str(fact.ride_id)])

    worker = Worker(
        database=database, settings=settings, service="bench-paced", handlers={RideStarted: handle}
    )
    await worker.start()
    while True:
        try:
            await worker.ready()
            break
        except RuntimeError:
            await asyncio.sleep(0.05)
    for _ in range(PACED_EVENTS):
        [fact] = facts(1)
        sent[str(fact.ride_id)] = perf_counter()
        async with database.transaction() as tx:
            await tx.publish(fact)
        await asyncio.sleep(PACE_S)
    while len(latencies) < PACED_EVENTS:
        await asyncio.sleep(0.02)
    await worker.stop()
    return latencies


async def _raw_round_trips(settings: KafkaSettings) -> list[float]:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, enable_idempotence=True, acks="all"
    )
    await producer.start()
    try:
        took = []
        for fact in facts(PACED_EVENTS):
            started = perf_counter()
            await producer.send_and_wait(
                settings.kafka_topic_prefix + RIDES.name, fact.model_dump_json().encode(), fact.key().encode()
            )
            took.append(perf_counter() - started)
        return took
    finally:
        await producer.stop()
