"""The fixtures against real servers."""

from collections.abc import Callable

import asyncpg
import pytest
import valkey

from testkit.databases import DatabaseUrls

MakeDatabase = Callable[..., DatabaseUrls]


async def test_a_database_is_made_for_its_owner_and_its_service(make_database: MakeDatabase) -> None:
    urls = make_database(None)

    owner = await asyncpg.connect(urls.owner_url)
    await owner.execute("CREATE TABLE thing (id int)")
    await owner.close()
    service = await asyncpg.connect(urls.app_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute("CREATE TABLE other (id int)")
    await service.close()


async def test_two_databases_share_nothing(make_database: MakeDatabase) -> None:
    first, second = make_database(None), make_database(None)

    connection = await asyncpg.connect(first.owner_url)
    await connection.execute("CREATE TABLE thing (id int)")
    await connection.close()
    connection = await asyncpg.connect(second.owner_url)
    assert await connection.fetchval("SELECT to_regclass('thing')") is None
    await connection.close()


def test_a_valkey_number_is_empty_and_ones_own(valkey_url: str) -> None:
    with valkey.Valkey.from_url(valkey_url) as server:
        assert server.dbsize() == 0
        server.set("left", "behind")
    assert int(valkey_url.rpartition("/")[2]) > 0
