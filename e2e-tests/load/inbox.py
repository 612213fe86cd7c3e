"""What it costs to act on an event once."""

import asyncio
from time import perf_counter
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.ride_dispatch import RideStarted
from contracts.topics import RIDES
from load.figure import Figure
from load.outbox import append, facts, open_database, until_empty
from load.parts import Parts
from messaging import Delivery, KafkaSettings, Worker
from storage import Database, DatabaseSettings, Scope, Transaction

EVENTS: Final = 40_000
_EFFECT = text(
    "INSERT INTO effects (event_id, ride_id) SELECT * FROM unnest(CAST(:events AS uuid[]), CAST(:rides AS uuid[]))"
)


class EffectTransaction(Transaction):
    """An effect an event, written in one statement a batch, as ledger and notification do."""

    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        super().__init__(session, scope)
        self.effects: list[tuple[Any, Any]] = []

    async def before_commit(self) -> None:
        if self.effects:
            events, rides = zip(*self.effects, strict=True)
            await self.session.execute(_EFFECT, {"events": list(events), "rides": list(rides)})
            self.effects.clear()


async def consume(parts: Parts) -> list[Figure]:
    """Events a second through inbox and effect, in batches; the yardstick only fetches them."""
    settings = await parts.kafka()
    async with parts.database("backoffice") as addresses:
        database = open_database(addresses)
        await append(database, facts(EVENTS))
        relay = Worker(database=database, settings=settings, service="backoffice", handlers={})
        await relay.start()
        await until_empty(database)
        await relay.stop()
        await database.dispose()
        rate = await _consume(addresses, settings)
    return [
        Figure(
            name="inbox.consume",
            value=rate,
            unit="events/s",
            yardstick="raw aiokafka getmany",
            yardstick_value=await _raw(settings),
        )
    ]


async def _consume(addresses: DatabaseSettings, settings: KafkaSettings) -> float:
    owner = await asyncpg.connect(addresses.database_owner_url)
    await owner.execute("CREATE TABLE effects (event_id uuid PRIMARY KEY, ride_id uuid NOT NULL)")
    await owner.execute("GRANT ALL ON effects TO PUBLIC")
    database = Database(addresses, service="bench-inbox", make=EffectTransaction)
    first = 0.0

    async def handle(tx: EffectTransaction, fact: RideStarted, delivery: Delivery) -> None:
        nonlocal first
        first = first or perf_counter()
        tx.effects.append((delivery.id, fact.ride_id))

    worker = Worker(
        database=database, settings=settings, service="bench-inbox", handlers={RideStarted: handle}
    )
    await worker.start()
    while await owner.fetchval("SELECT count(*) FROM effects") < EVENTS:
        await asyncio.sleep(0.05)
    rate = EVENTS / (perf_counter() - first)
    await worker.stop()
    await database.dispose()
    await owner.close()
    return rate


async def _raw(settings: KafkaSettings) -> float:
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
