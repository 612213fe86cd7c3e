"""Migrations run as the owner, forward and back, and the service's role gets what it needs and no more."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import make_url
from storage_samples import SAMPLE_SERVICE, MakeDatabase, settings_of

from storage import migrations
from storage.migrations.roles import RoleMissing
from testkit import DatabaseUrls


async def tables(urls: DatabaseUrls) -> set[str]:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def test_migrations_go_forward_and_back(make_database: MakeDatabase) -> None:
    urls = make_database(None)
    settings = settings_of(urls)
    migrations.run(SAMPLE_SERVICE, settings)
    assert {
        "outbox", "outbox_lease", "outbox_quarantine", "inbox", "inbox_default", "parked_event",
        "consume_attempt", "idempotency", "counter", "entry", "alembic_version",
    } == await tables(urls)  # fmt: skip
    migrations.downgrade(SAMPLE_SERVICE, settings)
    assert await tables(urls) == {"alembic_version"}
    migrations.run(SAMPLE_SERVICE, settings)
    migrations.run(SAMPLE_SERVICE, settings)  # nothing left to do


async def test_two_processes_may_migrate_at_once(make_database: MakeDatabase) -> None:
    urls = make_database(None)
    settings = settings_of(urls)
    await asyncio.gather(*(asyncio.to_thread(migrations.run, SAMPLE_SERVICE, settings) for _ in range(3)))
    assert "outbox" in await tables(urls)


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("INSERT INTO entry (note) VALUES ('x')", True),
        ("UPDATE entry SET note = 'y'", False),
        ("DELETE FROM entry", False),
        ("UPDATE counter SET value = 1", True),
        ("SELECT * FROM alembic_version", True),
        ("UPDATE alembic_version SET version_num = 'x'", False),
        ("CREATE TABLE mine (id int)", False),
        ("DROP TABLE counter", False),
        ("SELECT inbox_make_partitions(current_date, current_date)", True),
    ],
)
async def test_the_service_role_has_what_it_needs(urls: DatabaseUrls, statement: str, allowed: bool) -> None:
    connection = await asyncpg.connect(urls.app_url)
    try:
        if allowed:
            await connection.execute(statement)
        else:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


def test_a_missing_role_is_named(make_database: MakeDatabase) -> None:
    urls = make_database(None)
    stranger = make_url(urls.app_url).set(username="nobody_of_that_name")
    settings = settings_of(urls).model_copy(
        update={"database_url": stranger.render_as_string(hide_password=False)}
    )
    with pytest.raises(RoleMissing, match="nobody_of_that_name"):
        migrations.run(SAMPLE_SERVICE, settings)


async def test_one_role_for_everything_is_possible(make_database: MakeDatabase) -> None:
    urls = make_database(None)
    settings = settings_of(urls).model_copy(
        update={"database_url": urls.owner_url, "database_owner_url": None}
    )
    migrations.run(SAMPLE_SERVICE, settings)
    assert "outbox" in await tables(urls)
