"""How fast the ledger books what comes from Kafka, against simple-update transactions of pgbench on that server.

What counts is posted: committed journals, entries, balances, outbox rows and the link of the hash chain, by the
times of the chain itself. The guards are on, every ride moves the same bank and platform accounts, and two million
entries are there before. Two processes consume, as production scales the ledger; another one would relay what they
append.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter
from typing import Final
from uuid import UUID

import asyncpg

from contracts.base import Fact
from contracts.payment import PaymentConfirmed
from contracts.payout import PayoutReady
from kernel.ids import new_id
from ledger.adapters.transaction import LedgerTransaction
from ledger.usecases.get_driver_balance import get_driver_balance
from load.books_preload import preload
from load.figure import Figure, percentile
from load.parts import Parts
from messaging import KafkaSettings
from messaging.kafka import KafkaPublisher
from storage import Database, DatabaseSettings
from storage.outbox_row import Envelope, fact_row
from telemetry.tracing import TRACEPARENT

RIDES: Final = 30_000
HOLDS: Final = 10_000
DRIVERS: Final = 1_000
READS: Final = 3_000
WORKERS: Final = 2
YARDSTICK: Final = "pgbench -N, 8 clients"

# The first link is where the clock starts: what it posted took an unknown time.
_RATE: Final = """
SELECT (max(journals) - min(journals)) / extract(epoch FROM max(sealed_at) - min(sealed_at)) AS rate
FROM ledger_seals WHERE seq > $1"""


async def posting(parts: Parts) -> list[Figure]:
    """Rides and holds a second, and how long a balance takes to read, on one database of two million entries."""
    settings = await parts.kafka()
    drivers = [new_id() for _ in range(DRIVERS)]
    async with parts.database("ledger") as addresses:
        owner_url = addresses.database_owner_url
        assert owner_url is not None, "the bench is the owner"
        await preload(owner_url, drivers=drivers)
        paid = [_payment(drivers[n % DRIVERS], number=n) for n in range(RIDES)]
        await parts.settle()
        before = await parts.pgbench(seconds=5)
        rides = await _journals_per_s(parts, addresses, settings, paid)
        between = await parts.pgbench(seconds=5)
        asked = [_payout(drivers[n % DRIVERS]) for n in range(HOLDS)]
        holds = await _journals_per_s(parts, addresses, settings, asked)
        after = await parts.pgbench(seconds=5)
        copied = await _copy_per_s(owner_url)
        read_ms, point_ms = await _reads(addresses, drivers)
    first, second = (before + between) / 2, (between + after) / 2
    return [
        _figure("ledger.posted_rides_per_s", rides, "rides/s", YARDSTICK, first),
        _figure(
            "ledger.posted_vs_copy", rides, "rides/s", "COPY of the same rows, no index or guard", copied
        ),
        _figure("ledger.hold_per_s", holds, "holds/s", YARDSTICK, second),
        _figure("ledger.balance_read_p99_ms", read_ms, "ms", "p99 of a SELECT by primary key", point_ms),
    ]


def _figure(name: str, value: float, unit: str, yardstick: str, yardstick_value: float) -> Figure:
    return Figure(name=name, value=value, unit=unit, yardstick=yardstick, yardstick_value=yardstick_value)


def _payment(driver_id: UUID, *, number: int) -> PaymentConfirmed:
    fare, now = Decimal(1000 + number % 5000) / 100, datetime.now(UTC)
    return PaymentConfirmed(
        ride_id=new_id(),
        payment_id=new_id(),
        passenger_id=new_id(),
        driver_id=driver_id,
        amount=fare,
        commission=(fare * 2 / 10).quantize(Decimal("0.01"), rounding="ROUND_DOWN"),
        fee=Decimal("0.00"),
        txid=new_id().hex,
        e2e_id=f"E{number:031d}",
        paid_at=now,
        confirmed_at=now,
    )


def _payout(driver_id: UUID) -> PayoutReady:
    return PayoutReady(
        driver_id=driver_id, payout_id=new_id(), amount=Decimal("1.00"), ready_at=datetime.now(UTC)
    )


async def _publish(settings: KafkaSettings, facts: Sequence[Fact]) -> None:
    """With the headers that an outbox row has, of a trace that is not sampled, as most are."""
    publisher = await KafkaPublisher.open(settings)
    sent = []
    for fact in facts:
        id_ = new_id()
        envelope = Envelope(
            event_id=id_,
            service="bench",
            time=datetime.now(UTC),
            correlation_id=id_,
            causation_id=None,
            trace={TRACEPARENT: f"00-{id_.hex}-{id_.hex[16:]}-00"},
        )
        row = fact_row(fact, version=0, envelope=envelope)
        headers = [(name, value.encode()) for name, value in json.loads(row.headers).items()]
        sent.append(await publisher.send(row.topic, key=row.key, value=row.payload, headers=headers))
    await asyncio.gather(*sent)
    await publisher.close()


async def _journals_per_s(
    parts: Parts, addresses: DatabaseSettings, settings: KafkaSettings, facts: Sequence[Fact]
) -> float:
    """Consume `facts` until as many more journals are sealed: each of these makes one.

    All of them wait on Kafka when the clock starts, and the group is complete: its processes are held meanwhile.
    """
    async with _connected(addresses) as connection, AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(_worker(addresses, settings)) for _ in range(WORKERS)]
        for worker in workers:
            assert worker.stdout is not None, "its line says that it takes part"
            assert (await worker.stdout.readline()).strip() == b"joined", "a worker ended"
        seq = await connection.fetchval("SELECT seq FROM ledger_chain")
        done = await connection.fetchval("SELECT journals FROM ledger_chain")
        for worker in workers:
            worker.send_signal(signal.SIGSTOP)
        try:
            await _publish(settings, facts)
            await parts.settle()
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGCONT)
        while await connection.fetchval("SELECT journals FROM ledger_chain") < done + len(facts):
            await asyncio.sleep(0.1)
        return float(await connection.fetchval(_RATE, seq))


@asynccontextmanager
async def _worker(
    addresses: DatabaseSettings, settings: KafkaSettings
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process for the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "load.ledger_process",
        env={
            **os.environ,
            "DATABASE_URL": addresses.database_url,
            "KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
            "KAFKA_TOPIC_PREFIX": settings.kafka_topic_prefix,
        },
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def _copy_per_s(url: str) -> float:
    """Rides a second when nothing is asked of the rows that one posting writes: only that they are stored."""
    connection = await asyncpg.connect(url)
    try:
        seconds = 0.0
        for table, tail in (
            ("financial_events", "ORDER BY created_at DESC LIMIT 10000"),
            ("journals", "ORDER BY created_at DESC LIMIT 10000"),
            ("ledger_entries", "ORDER BY created_at DESC LIMIT 70000"),
            ("outbox", "ORDER BY id DESC LIMIT 20000"),
        ):
            rows = [tuple(r) for r in await connection.fetch(f"SELECT * FROM {table} {tail}")]
            await connection.execute(f"CREATE TABLE copied_{table} AS SELECT * FROM {table} LIMIT 0")
            started = perf_counter()
            await connection.copy_records_to_table(f"copied_{table}", records=rows)
            seconds += perf_counter() - started
            await connection.execute(f"DROP TABLE copied_{table}")
        return 10_000 / seconds
    finally:
        await connection.close()


async def _reads(addresses: DatabaseSettings, drivers: Sequence[UUID]) -> tuple[float, float]:
    """p99 in ms of a driver's balance as its route reads it, and of one row by its key on a bare connection."""
    database = Database(addresses, service="ledger", make=LedgerTransaction)
    async with _connected(addresses) as connection:
        events = await connection.fetch("SELECT id FROM financial_events LIMIT $1", READS)
        by_key = await connection.prepare("SELECT * FROM financial_events WHERE id = $1")
        balances, points = [], []
        for n in range(READS):
            started = perf_counter()
            async with database.reading() as tx:
                await get_driver_balance(tx, driver_id=drivers[n % DRIVERS])
            balances.append(perf_counter() - started)
            started = perf_counter()
            await by_key.fetchrow(events[n]["id"])
            points.append(perf_counter() - started)
    await database.dispose()
    return percentile(balances, 0.99) * 1000, percentile(points, 0.99) * 1000


@asynccontextmanager
async def _connected(addresses: DatabaseSettings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(addresses.database_owner_url)
    try:
        yield connection
    finally:
        await connection.close()
