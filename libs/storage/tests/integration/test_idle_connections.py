"""A connection that died while it lay idle is replaced before anybody meets it."""

import asyncpg
import pytest
from sqlalchemy import text

from storage import Database, DatabaseSettings, Transaction
from testkit import DatabaseUrls


def open_database(urls: DatabaseUrls, *, after_s: float) -> Database[Transaction]:
    settings = DatabaseSettings(
        database_url=urls.app_url,
        database_pool_size=1,
        database_max_overflow=0,
        database_ask_after_idle_s=after_s,
    )
    return Database(settings, service="backoffice", make=Transaction)


async def backend_of(database: Database[Transaction]) -> int:
    async with database.transaction() as tx:
        pid: int = (await tx.session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    return pid


async def kill(urls: DatabaseUrls, pid: int) -> None:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        assert await connection.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
    finally:
        await connection.close()


async def test_a_dead_idle_connection_is_replaced(urls: DatabaseUrls) -> None:
    database = open_database(urls, after_s=0.0)
    try:
        first = await backend_of(database)
        await kill(urls, first)
        assert await backend_of(database) != first
    finally:
        await database.dispose()


async def test_one_that_was_just_used_is_not_asked_but_seen_to_be_closed(
    urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(urls, after_s=60.0)
    asked: list[object] = []
    monkeypatch.setattr(database.engine.dialect, "do_ping", asked.append)
    try:
        first = await backend_of(database)
        assert await backend_of(database) == first
        await kill(urls, first)
        assert await backend_of(database) != first
        assert asked == []
    finally:
        await database.dispose()
