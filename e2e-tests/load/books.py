"""How many payments the ledger books from Kafka, against simple-update transactions of pgbench on that server."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg

from contracts.payment import PaymentConfirmed
from kernel.ids import new_id
from ledger.main import build
from ledger.settings import Settings
from load.figure import Figure
from load.parts import Parts
from messaging import KafkaSettings
from storage import Database, DatabaseSettings, Transaction

PAYMENTS = 6_000
DRIVERS = 300


async def payments(parts: Parts) -> list[Figure]:
    """Payments a second, three journals and seven entries each, with outbox rows and driver balances.

    The yardstick, `pgbench -N`, commits one update and one insert a transaction from eight clients.
    """
    settings = await parts.kafka()
    async with parts.database("ledger") as addresses:
        await _publish(addresses)
        rate = await _post(addresses, settings)
    return [
        Figure(
            name="ledger.payments",
            value=rate,
            unit="payments/s",
            yardstick="pgbench -N, 8 clients",
            yardstick_value=await parts.pgbench(),
        )
    ]


async def _publish(addresses: DatabaseSettings) -> None:
    """Into the database's own outbox: its relay brings them to Kafka, its consumer back."""
    database = Database(addresses, service="payment", make=Transaction)
    drivers = [new_id() for _ in range(DRIVERS)]
    now = datetime.now(UTC)
    for first in range(0, PAYMENTS, 500):
        async with database.transaction() as tx:
            for n in range(first, first + 500):
                await tx.publish(_payment(driver=drivers[n % DRIVERS], number=n, now=now))
    await database.dispose()


def _payment(*, driver: object, number: int, now: datetime) -> PaymentConfirmed:
    fare = Decimal(1000 + number % 5000) / 100
    return PaymentConfirmed(
        ride_id=new_id(),
        payment_id=new_id(),
        passenger_id=new_id(),
        driver_id=driver,
        amount=fare,
        commission=(fare * 2 / 10).quantize(Decimal("0.01"), rounding="ROUND_DOWN"),
        fee=Decimal("0.00"),
        txid=new_id().hex,
        e2e_id=f"E{number:031d}",
        paid_at=now,
        confirmed_at=now,
    )


async def _post(addresses: DatabaseSettings, kafka: KafkaSettings) -> float:
    settings = Settings(
        database_url=addresses.database_url,
        kafka_bootstrap=kafka.kafka_bootstrap,
        kafka_topic_prefix=kafka.kafka_topic_prefix,
    )
    app = build(settings, mode="worker")
    assert addresses.database_owner_url is not None
    connection = await asyncpg.connect(addresses.database_owner_url)
    try:
        async with app.router.lifespan_context(app):
            while await connection.fetchval("SELECT count(*) FROM financial_events") < PAYMENTS:
                await asyncio.sleep(0.1)
        row = await connection.fetchrow(
            "SELECT extract(epoch FROM max(created_at) - min(created_at)) AS seconds,"
            " count(*) FILTER (WHERE created_at > (SELECT min(created_at) FROM financial_events)) AS payments"
            " FROM financial_events"
        )
        assert row is not None, "the ledger is not empty"
        return float(row["payments"]) / float(row["seconds"])
    finally:
        await connection.close()
