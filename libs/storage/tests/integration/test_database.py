"""Time-outs, retries, roles and pools of one service's database."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from storage_samples import opened, settings_of, value_of

from storage import Database, Transaction, sqlstate
from testkit import DatabaseUrls


async def test_settings_reach_the_session(database: Database[Transaction]) -> None:
    async with database.reading() as tx:
        assert await value_of(tx, "SHOW statement_timeout") == "5s"
        assert await value_of(tx, "SHOW lock_timeout") == "3s"
        assert await value_of(tx, "SHOW idle_in_transaction_session_timeout") == "10s"
        assert await value_of(tx, "SHOW application_name") == "ibora-sample"


async def test_a_slow_statement_is_cut_off(urls: DatabaseUrls) -> None:
    async with opened(urls, database_statement_timeout_ms=50) as impatient:
        with pytest.raises(DBAPIError) as caught:
            async with impatient.transaction() as tx:
                await tx.session.execute(text("SELECT pg_sleep(5)"))
    assert sqlstate(caught.value) == "57014"


async def test_a_lock_is_not_waited_for_for_ever(urls: DatabaseUrls) -> None:
    async with opened(urls, database_lock_timeout_ms=50) as impatient:
        async with impatient.transaction() as tx:
            await tx.session.execute(text("INSERT INTO counter VALUES ('a', 0)"))
        async with impatient.transaction() as tx:
            await tx.session.execute(text("UPDATE counter SET value = 1"))
            with pytest.raises(DBAPIError) as caught:
                await asyncio.create_task(_increment(impatient))
    assert sqlstate(caught.value) == "55P03"


async def test_retrying_wins_in_the_end_after_deadlocks(database: Database[Transaction]) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text("INSERT INTO counter VALUES ('a', 0), ('b', 0)"))
    both_hold = asyncio.Barrier(2)
    tries: list[str] = []

    async def cross(first: str, second: str) -> None:
        async def work(tx: Transaction) -> None:
            tries.append(first)
            await _add(tx, first)
            if len(tries) <= 2:
                await both_hold.wait()
            await _add(tx, second)

        await database.retrying(work)

    await asyncio.gather(cross("a", "b"), cross("b", "a"))
    assert len(tries) == 3, "one of the two was the deadlock's victim and ran again"
    async with database.reading() as tx:
        assert await value_of(tx, "SELECT array_agg(value ORDER BY name) FROM counter") == [2, 2]


async def test_retrying_does_not_repeat_a_bug(database: Database[Transaction]) -> None:
    tries: list[None] = []

    async def work(tx: Transaction) -> None:
        tries.append(None)
        await tx.session.execute(text("SELECT no_such_column"))

    with pytest.raises(DBAPIError):
        await database.retrying(work)
    assert len(tries) == 1


async def test_a_rotated_password_file_is_read_at_the_next_connection(
    urls: DatabaseUrls, tmp_path: Path
) -> None:
    url = make_url(urls.app_url)
    assert isinstance(url.password, str)
    secret = tmp_path / "password"
    secret.write_text("stale\n")
    bare = url.set(password="ignored").render_as_string(hide_password=False)
    settings = settings_of(urls, database_password_file=secret).model_copy(update={"database_url": bare})
    database = Database(settings, service="sample", make=Transaction)
    try:
        with pytest.raises(Exception, match="password authentication failed"):
            await database.ready()
        secret.write_text(url.password + "\n")
        await database.ready()
    finally:
        await database.dispose()


async def test_reads_go_to_the_replica_when_there_is_one(urls: DatabaseUrls) -> None:
    # The same server stands in for the replica: what matters is which pool serves and that it refuses writes.
    async with opened(urls, database_replica_url=urls.app_url) as database:
        async with database.reading() as tx:
            assert await value_of(tx, "SHOW default_transaction_read_only") == "on"
        async with database.transaction() as tx:
            assert await value_of(tx, "SHOW default_transaction_read_only") == "off"


async def test_the_pool_is_measured(database: Database[Transaction]) -> None:
    async with database.transaction():
        labels = {"service": "sample", "pool": "primary", "state": "in_use"}
        assert REGISTRY.get_sample_value("database_pool_connections", labels) == 1
    labels = {"service": "sample", "pool": "primary", "state": "idle"}
    assert REGISTRY.get_sample_value("database_pool_connections", labels) == 1


async def _add(tx: Transaction, name: str) -> None:
    await tx.session.execute(text("UPDATE counter SET value = value + 1 WHERE name = :name"), {"name": name})


async def _increment(database: Database[Transaction]) -> None:
    async with database.transaction() as tx:
        await _add(tx, "a")


async def test_an_error_never_tells_what_was_bound_to_its_statement(database: Database[Transaction]) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.reading() as tx:
            await tx.session.execute(text("SELECT CAST(:note AS integer)"), {"note": 7.5j})
    assert "7.5j" not in str(caught.value).split("[SQL", 1)[1]
