"""Identity's worker on a real broker, its commands, and its migrations."""

import asyncio
import os
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from identity_door import Door, bearer, email, running

from contracts.identity import Profile, VehicleCategory
from contracts.ride_dispatch import CanceledBy, RideCompleted, RideRated
from contracts.topics import PROFILES
from identity.main import FOLDER, Identity
from identity.settings import Settings
from kernel.clock import SystemClock
from kernel.ids import new_id
from messaging import KafkaSettings, Worker
from storage import Database, DatabaseSettings, Transaction, migrations
from testkit import DatabaseUrls, eventually, published

MakeSettings = Callable[..., Settings]


@pytest.fixture
def on_kafka(settings: MakeSettings, kafka_settings: KafkaSettings) -> Settings:
    return settings(
        kafka_bootstrap=kafka_settings.kafka_bootstrap, kafka_topic_prefix=kafka_settings.kafka_topic_prefix
    )


async def test_a_ride_and_its_rating_move_the_profiles_of_both(
    on_kafka: Settings, make_database: Callable[[Path], DatabaseUrls]
) -> None:
    async with running(on_kafka, mode="all") as process:
        passenger_id, passenger = await process.session(1)
        driver_id, driver = await process.session(1, "driver")
        await relay_as_ride_dispatch(on_kafka, make_database, passenger_id, driver_id)

        async def counted() -> bool:
            mine = (await process.client.get("/me", headers=bearer(passenger))).json()["passenger"]
            theirs = (await process.client.get("/me", headers=bearer(driver))).json()["driver"]
            return (mine["total_rides"], theirs["total_rides"], theirs["average_rating"]) == (1, 1, "4.00")

        await eventually(counted, timeout_s=30)
        latest = await last_profile(on_kafka, driver_id, version=3)
        assert (latest.total_rides, latest.average_rating) == (1, Decimal("4.00"))


async def test_the_workers_door_has_probes_only(on_kafka: Settings) -> None:
    async with running(on_kafka, mode="worker") as process:
        for path in ("/health", "/ready", "/metrics"):
            assert (await process.client.get(path)).status_code == 200
        assert (await process.client.get("/me")).status_code == 404
        identity_metrics = (await process.client.get("/metrics")).text
        assert "identity_logins_total" in identity_metrics


async def test_a_worker_opens_the_first_administrator_once(on_kafka: Settings) -> None:
    for _ in range(2):
        async with running(on_kafka, mode="all") as process:
            admin = await process.admin()
            assert (await process.client.get("/me", headers=admin)).json()["user_type"] == "admin"


async def test_rebuild_publishes_every_profile_again(
    door: Door, settings: MakeSettings, urls: DatabaseUrls
) -> None:
    ids = {(await door.register(number))["user_id"] for number in range(3)}
    identity = Identity(settings(), clock=SystemClock())
    before = len(await published(urls, of=Profile))
    await identity.publish_profiles()
    await identity.close()
    again = [fact for fact, _, _ in (await published(urls, of=Profile))[before:]]
    assert len(again) == 4
    assert ids < {str(fact.user_id) for fact in again if isinstance(fact, Profile)}


async def test_a_forced_rotation_publishes_a_second_key(door: Door, settings: MakeSettings) -> None:
    identity = Identity(settings(), clock=SystemClock())
    await identity.renew_signing_keys(forced=True)
    await identity.keyring.read()
    await identity.close()
    assert len(identity.keyring.jwks()["keys"]) == 2


async def test_migrations_run_forward_and_back(make_database: Callable[[None], DatabaseUrls]) -> None:
    urls = make_database(None)
    given = DatabaseSettings(database_url=urls.app_url, database_owner_url=urls.owner_url)
    await asyncio.to_thread(migrations.run, FOLDER, given)
    assert "users" in await _tables(urls)
    await asyncio.to_thread(migrations.downgrade, FOLDER, given)
    assert await _tables(urls) <= {"alembic_version"}
    await asyncio.to_thread(migrations.run, FOLDER, given)
    assert "drivers" in await _tables(urls)


async def test_logins_still_work_after_a_restart_with_a_newer_encryption_key(
    door: Door, settings: MakeSettings, urls: DatabaseUrls, tmp_path: Path
) -> None:
    user_id, _ = await door.session(1, "driver")
    given = settings()
    older = given.encryption_key_file.read_text().strip()
    given.encryption_key_file.write_text(f"{b64encode(b'n' * 32).decode()}\n{older}\n")
    async with running(given) as process:
        tokens = await process.log_in(email(1, "driver"))
        assert (await process.client.get("/me", headers=bearer(tokens))).json()["id"] == user_id


async def test_the_migrate_command_makes_the_tables_and_the_first_administrator(
    make_database: Callable[[None], DatabaseUrls], settings: MakeSettings
) -> None:
    urls, given = make_database(None), settings()
    values = given.model_dump(mode="json", exclude_none=True)
    environment = {name.upper(): str(value) for name, value in values.items() if isinstance(value, str)}
    environment |= {"DATABASE_URL": urls.app_url, "DATABASE_OWNER_URL": urls.owner_url}
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "identity.main", "migrate", env={**os.environ, **environment}
    )
    assert await command.wait() == 0
    async with running(given.model_copy(update={"database_url": urls.app_url})) as process:
        assert (await process.client.get("/me", headers=await process.admin())).status_code == 200


async def relay_as_ride_dispatch(
    given: Settings, make_database: Callable[[Path], DatabaseUrls], passenger_id: str, driver_id: str
) -> None:
    """Publish a ride's end and its rating as ride-dispatch does: from an outbox of its own."""
    other = make_database(FOLDER)
    database: Database[Transaction] = Database(
        DatabaseSettings(database_url=other.app_url), service="ride-dispatch", make=Transaction
    )
    worker = Worker(
        database=database, settings=given, service="ride-dispatch", handlers={}, clock=SystemClock()
    )
    now, ride_id = datetime.now(UTC), new_id()
    completed = RideCompleted.model_validate(
        {
            "ride_id": ride_id,
            "passenger_id": passenger_id,
            "driver_id": driver_id,
            "category": VehicleCategory.STANDARD,
            "final_fare": "20.00",
            "commission": "4.00",
            "commission_bps": 2000,
            "distance_m": 5000,
            "duration_s": 600,
            "completed_at": now,
        }
    )
    rated = RideRated.model_validate(
        {
            "ride_id": ride_id,
            "rater_id": passenger_id,
            "rated_id": driver_id,
            "rated_by": CanceledBy.PASSENGER,
            "stars": 4,
            "rated_at": now,
        }
    )
    await worker.start()
    try:
        async with database.transaction() as tx:
            await tx.publish(completed, version=1)
            await tx.publish(rated, version=2)
        await eventually(lambda: _relayed(other), timeout_s=20)
    finally:
        await worker.stop()
        await database.dispose()


async def last_profile(given: Settings, user_id: str, *, version: int) -> Profile:
    """The newest profile of a user on the compacted topic, once it is there."""
    consumer = AIOKafkaConsumer(
        f"{given.kafka_topic_prefix}{PROFILES.name}",
        bootstrap_servers=given.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            async for record in consumer:
                profile = Profile.model_validate_json(record.value)
                if str(profile.user_id) == user_id and profile.version >= version:
                    return profile
        raise AssertionError("the topic ended")
    finally:
        await consumer.stop()


async def _relayed(urls: DatabaseUrls) -> bool:
    return not await published(urls)


async def _tables(urls: DatabaseUrls) -> set[str]:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        return {
            row["tablename"]
            for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        }
    finally:
        await connection.close()
