"""What the outbox costs and how fast it is, against raw aiokafka and against transactions without it."""

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from statistics import median
from time import perf_counter

import asyncpg
from aiokafka import AIOKafkaProducer
from sqlalchemy import text

from contracts.ride_dispatch import RideStarted
from contracts.topics import RIDES
from kernel.ids import new_id
from load.figure import Figure, percentile
from load.parts import Parts
from messaging import KafkaSettings, Worker
from storage import Database, DatabaseSettings, Transaction

BACKLOG = 60_000
PER_TRANSACTION = 500
KEYS = 1_000
EVENTS_PER_S = 2_000
LATENCY_S = 15
WRITERS = 8
AT_ONCE = 16
ROUND_S = 4.0
ROUNDS = 3
ROWS = 10_000


def facts(count: int) -> list[RideStarted]:
    """Events of a thousand rides, in turn."""
    rides = [new_id() for _ in range(KEYS)]
    now = datetime.now(UTC)
    return [
        RideStarted(ride_id=rides[n % KEYS], passenger_id=new_id(), driver_id=new_id(), started_at=now)
        for n in range(count)
    ]


def open_database(settings: DatabaseSettings) -> Database[Transaction]:
    return Database(settings, service="backoffice", make=Transaction)


async def append(database: Database[Transaction], made: list[RideStarted]) -> None:
    for first in range(0, len(made), PER_TRANSACTION):
        async with database.transaction() as tx:
            for fact in made[first : first + PER_TRANSACTION]:
                await tx.publish(fact)


async def drain(parts: Parts) -> list[Figure]:
    """Events a second from a backlog; the yardstick sends the same values, keys and headers straight to Kafka."""
    settings = await parts.kafka()
    async with parts.database("backoffice") as addresses:
        database = open_database(addresses)
        await append(database, facts(BACKLOG))
        records = await _records(database)
        worker = Worker(database=database, settings=settings, service="backoffice", handlers={})
        started = perf_counter()
        await worker.start()
        await until_empty(database)
        rate = BACKLOG / (perf_counter() - started)
        await worker.stop()
        await database.dispose()
    return [
        Figure(
            name="outbox.drain",
            value=rate,
            unit="events/s",
            yardstick="raw aiokafka, same records",
            yardstick_value=await _raw(settings, records),
        )
    ]


Record = tuple[bytes, bytes, list[tuple[str, bytes]]]


async def _records(database: Database[Transaction]) -> list[Record]:
    """Key, value and headers of every row, as the relay would send them."""
    async with database.reading() as tx:
        rows = await tx.session.execute(text("SELECT key, payload, headers FROM outbox ORDER BY id"))
        return [
            (row.key.encode(), bytes(row.payload), [(n, v.encode()) for n, v in row.headers.items()])
            for row in rows
        ]


async def _raw(settings: KafkaSettings, records: list[Record]) -> float:
    """Records a second of an idempotent producer, in the same batches."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        enable_idempotence=True,
        acks="all",
        max_batch_size=262_144,
    )
    topic = settings.kafka_topic_prefix + RIDES.name
    await producer.start()
    try:
        started = perf_counter()
        for first in range(0, len(records), PER_TRANSACTION * 2):
            chunk = records[first : first + PER_TRANSACTION * 2]
            sent = [await producer.send(topic, value, key, headers=headers) for key, value, headers in chunk]
            await asyncio.gather(*sent)
        return len(records) / (perf_counter() - started)
    finally:
        await producer.stop()


async def until_empty(database: Database[Transaction]) -> None:
    while True:
        async with database.reading() as tx:
            left = (await tx.session.execute(text("SELECT EXISTS (SELECT 1 FROM outbox)"))).scalar_one()
        if not left:
            return
        await asyncio.sleep(0.02)


@asynccontextmanager
async def relay_beside(addresses: DatabaseSettings, settings: KafkaSettings) -> AsyncIterator[list[float]]:
    """A relay in another process for the block; afterwards the list holds its latencies in seconds."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "load.relay_process",
        "backoffice",
        env={
            **os.environ,
            "DATABASE_URL": addresses.database_url,
            "KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
            "KAFKA_TOPIC_PREFIX": settings.kafka_topic_prefix,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    while b"started" not in await process.stderr.readline():
        assert process.returncode is None, "the relay's process ended"
    latencies: list[float] = []
    try:
        yield latencies
    finally:
        process.terminate()
        output, _ = await process.communicate()
        latencies += json.loads(output)


async def latency(parts: Parts) -> list[Figure]:
    """p99 from a row's insert to the broker's ack, while writers commit 2,000 events a second, two a transaction.

    The yardstick is one record after the other sent and acknowledged by raw aiokafka, with nothing else to do.
    """
    settings = await parts.kafka()
    async with parts.database("backoffice") as addresses:
        database = open_database(addresses)
        async with relay_beside(addresses, settings) as latencies:
            written = await _write_paced(database)
            await until_empty(database)
        await database.dispose()
    settled = latencies[len(latencies) // 10 :]
    print(f"  wrote {written / LATENCY_S:,.0f} events/s, p50 {median(settled) * 1000:.1f} ms")
    return [
        Figure(
            name="outbox.latency_p99_ms",
            value=percentile(settled, 0.99) * 1000,
            unit="ms",
            yardstick="raw aiokafka send_and_wait p99",
            yardstick_value=percentile(await _raw_acks(settings), 0.99) * 1000,
        )
    ]


async def _write_paced(database: Database[Transaction]) -> int:
    """Writers that keep to the pace together; a writer that is late catches up."""
    made = facts(EVENTS_PER_S * LATENCY_S)
    pairs = iter(range(0, len(made), 2))
    started = perf_counter()

    async def writer() -> None:
        for first in pairs:
            await asyncio.sleep(max(0.0, started + first / EVENTS_PER_S - perf_counter()))
            async with database.transaction() as tx:
                for fact in made[first : first + 2]:
                    await tx.publish(fact)

    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    return round(len(made) * LATENCY_S / (perf_counter() - started))


async def _raw_acks(settings: KafkaSettings) -> list[float]:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, enable_idempotence=True, acks="all"
    )
    await producer.start()
    try:
        took = []
        for fact in facts(3_000):
            started = perf_counter()
            await producer.send_and_wait(
                settings.kafka_topic_prefix + RIDES.name, fact.model_dump_json().encode(), fact.key().encode()
            )
            took.append(perf_counter() - started)
        return took
    finally:
        await producer.stop()


async def commit_overhead(parts: Parts) -> list[Figure]:
    """Transactions a second that update a row and publish a fact, against those that only update a row.

    Both through `Transaction`, sixteen at a time, in turns, with a relay running; medians of the turns.
    """
    settings = await parts.kafka()
    async with parts.database("backoffice", pool_size=AT_ONCE) as addresses:
        await _make_rows(addresses)
        database = open_database(addresses)
        async with relay_beside(addresses, settings):
            await _turn(database, _update_and_publish, seconds=1.0)
            with_row, without = [], []
            for _ in range(ROUNDS):
                without.append(await _turn(database, _update, seconds=ROUND_S))
                with_row.append(await _turn(database, _update_and_publish, seconds=ROUND_S))
                await until_empty(database)
        await database.dispose()
    return [
        Figure(
            name="outbox.commit_overhead",
            value=median(with_row),
            unit="transactions/s",
            yardstick="the same without an outbox row",
            yardstick_value=median(without),
        )
    ]


async def _make_rows(addresses: DatabaseSettings) -> None:
    connection = await asyncpg.connect(addresses.database_owner_url)
    try:
        await connection.execute(
            "CREATE TABLE counters (id integer PRIMARY KEY, n bigint NOT NULL) WITH (fillfactor = 70)"
        )
        await connection.execute("GRANT ALL ON counters TO PUBLIC")
        await connection.execute("INSERT INTO counters SELECT g, 0 FROM generate_series(0, $1) AS g", ROWS)
    finally:
        await connection.close()


Work = Callable[[Transaction], Awaitable[None]]
_FACTS = facts(1_000)
_UPDATE = text("UPDATE counters SET n = n + 1 WHERE id = :id")


async def _update(tx: Transaction) -> None:
    await tx.session.execute(_UPDATE, {"id": random.randrange(ROWS)})


async def _update_and_publish(tx: Transaction) -> None:
    await _update(tx)
    await tx.publish(_FACTS[random.randrange(len(_FACTS))])


async def _turn(database: Database[Transaction], work: Work, *, seconds: float) -> float:
    """Transactions a second."""
    done = 0

    async def client(until: float) -> None:
        nonlocal done
        while perf_counter() < until:
            async with database.transaction() as tx:
                await work(tx)
            done += 1

    started = perf_counter()
    await asyncio.gather(*(client(started + seconds) for _ in range(AT_ONCE)))
    return done / (perf_counter() - started)
