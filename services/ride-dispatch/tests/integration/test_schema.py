from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from dispatch_stack import OpenStack

from storage import DatabaseSettings, migrations
from testkit import DatabaseUrls

BLUEPRINT_INDEXES = {
    "idx_rides_status_created",
    "idx_rides_driver",
    "idx_rides_pickup_location",
    "idx_offers_ride_driver",
    "idx_offers_expires",
    "idx_accept_idempotency",
}
BLUEPRINT_COLUMNS = {
    "rides": "id passenger_id driver_id status pickup_lat pickup_lon dropoff_lat dropoff_lon estimated_fare "
    "final_fare created_at accepted_at started_at completed_at version",
    "ride_offers": "id ride_id driver_id offered_at expires_at response responded_at",
    "ride_accept_attempts": "id ride_id driver_id idempotency_key status failure_reason attempt_at",
    "driver_states": "current_lat current_lon current_ride_id status online",
}


async def test_the_schema_has_the_blueprints_columns_and_indexes(open_stack: OpenStack) -> None:
    service = await open_stack()
    rows = await service.sql("SELECT table_name AS t, column_name AS c FROM information_schema.columns")
    columns = {(row["t"], row["c"]) for row in rows}
    indexes = {row["indexname"] for row in await service.sql("SELECT indexname FROM pg_indexes")}

    assert {(t, c) for t, names in BLUEPRINT_COLUMNS.items() for c in names.split()} <= columns
    assert indexes >= BLUEPRINT_INDEXES
    unique = await service.sql(
        "SELECT indexdef FROM pg_indexes"
        " WHERE indexname IN ('uq_rides_driver_active', 'uq_rides_passenger_open')"
    )
    assert all("UNIQUE" in row["indexdef"] and "WHERE" in row["indexdef"] for row in unique)
    assert len(unique) == 2


async def test_the_migrations_run_back_and_forth(make_database: Callable[[str], DatabaseUrls]) -> None:
    urls = make_database("ride-dispatch")
    folder = Path(__file__).parents[2]
    settings = DatabaseSettings(database_url=urls.app_url, database_owner_url=urls.owner_url)

    migrations.downgrade(folder, settings)
    connection = await asyncpg.connect(urls.admin_url)
    try:
        left = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        functions = await connection.fetch(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
    finally:
        await connection.close()
    migrations.run(folder, settings)

    assert {row["tablename"] for row in left} <= {"alembic_version"}
    assert functions == []


async def test_the_service_cannot_rewrite_its_history(open_stack: OpenStack) -> None:
    service = await open_stack()
    connection = await asyncpg.connect(service.urls.app_url)
    try:
        for table in ("offer_history", "ride_accept_attempts"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"DELETE FROM {table}")
    finally:
        await connection.close()
