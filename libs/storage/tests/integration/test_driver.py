"""A transaction that is begun on the driver is begun for everybody, or its connection is gone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from storage import Database, DatabaseSettings, Transaction, driver_of, sqlstate
from testkit import DatabaseUrls, eventually
from testkit.proxy import FaultProxy

DELAY_S = 1.0
INSERT = "INSERT INTO entry (note) VALUES ($1)"


def open_database(url: str) -> Database[Transaction]:
    settings = DatabaseSettings(
        database_url=url, database_pool_size=1, database_max_overflow=0, database_ask_after_idle_s=60.0
    )
    return Database(settings, service="sample", make=Transaction)


async def insert(database: Database[Transaction], note: str) -> None:
    async with database.transaction() as tx:
        await (await driver_of(tx.session)).execute(INSERT, note)


async def pid_of(database: Database[Transaction]) -> int:
    async with database.transaction() as tx:
        pid: int = await (await driver_of(tx.session)).fetchval("SELECT pg_backend_pid()")
    return pid


async def ask(urls: DatabaseUrls, sql: str, *values: Any) -> Any:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        return await connection.fetchval(sql, *values)
    finally:
        await connection.close()


async def test_who_is_cancelled_while_it_begins_leaves_no_begun_transaction_behind(
    urls: DatabaseUrls, tcp_proxy: Callable[[str], Awaitable[FaultProxy]]
) -> None:
    server = urlsplit(urls.app_url)
    proxy = await tcp_proxy(f"{server.hostname}:{server.port}")
    database = open_database(urls.app_url.replace(f"{server.hostname}:{server.port}", proxy.address))
    try:
        pid = await pid_of(database)
        proxy.delay(DELAY_S)
        cancelled = asyncio.create_task(insert(database, "never"))

        async def begun() -> bool:
            state = await ask(urls, "SELECT state FROM pg_stat_activity WHERE pid = $1", pid)
            return bool(state == "idle in transaction")

        await eventually(begun)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await proxy.heal()

        for note in ("second", "third"):
            await insert(database, note)
        kept = await ask(urls, "SELECT array_agg(note ORDER BY note) FROM entry")
        assert kept == ["second", "third"], "what was said to be committed is there for others too"
        assert await pid_of(database) != pid
    finally:
        await database.dispose()


async def test_a_connection_that_dies_before_it_begins_says_so_in_the_drivers_words(
    urls: DatabaseUrls,
) -> None:
    database = open_database(urls.app_url)

    async def used_after_its_end() -> None:
        async with database.transaction() as tx:
            connection = await tx.session.connection()
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            pid = raw.driver_connection.get_server_pid()
            assert await ask(urls, "SELECT pg_terminate_backend($1, 5000)", pid)
            await driver_of(tx.session)

    try:
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as raised:
            await used_after_its_end()
        if isinstance(raised.value, asyncpg.PostgresError):
            assert sqlstate(raised.value) is not None
        await insert(database, "next")
        assert await ask(urls, "SELECT count(*) FROM entry") == 1
    finally:
        await database.dispose()


async def test_a_connection_that_comes_back_in_a_transaction_is_not_used_again(urls: DatabaseUrls) -> None:
    database = open_database(urls.app_url)
    try:
        pid = await pid_of(database)
        async with database.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            await raw.driver_connection.execute("BEGIN")
        await insert(database, "kept")
        assert await ask(urls, "SELECT count(*) FROM entry") == 1
        assert await pid_of(database) != pid
    finally:
        await database.dispose()
