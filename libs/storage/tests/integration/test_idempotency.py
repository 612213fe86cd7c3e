"""The same key does the work once and gives the same answer again."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from storage_samples import opened, value_of

from kernel.refusals import Refusal
from storage import Database, IdempotencyKeyReused, RequestInProgress, Transaction
from storage.idempotency import Fresh, Replay, claim, forget_before, remember
from testkit import DatabaseUrls


async def attempt(
    database: Database[Transaction], *, fingerprint: bytes = b"request", key: str = "k"
) -> Fresh | Replay:
    async with database.transaction() as tx:
        claimed = await claim(tx, principal="p", operation="pay", key=key, fingerprint=fingerprint)
        if isinstance(claimed, Fresh):
            await tx.session.execute(text("INSERT INTO entry (note) VALUES ('effect')"))
            await remember(tx, claimed, status=201, body=b'{"id": 1}')
        return claimed


async def test_a_repeat_gets_the_first_answer(database: Database[Transaction]) -> None:
    assert isinstance(await attempt(database), Fresh)
    replay = Replay(status=201, media_type="application/json", body=b'{"id": 1}')
    assert await attempt(database) == replay
    async with database.reading() as tx:
        assert await value_of(tx, "SELECT count(*) FROM entry") == 1


async def test_a_key_for_another_request_is_refused(database: Database[Transaction]) -> None:
    await attempt(database)
    with pytest.raises(IdempotencyKeyReused):
        await attempt(database, fingerprint=b"another")


async def test_names_do_not_run_into_each_other(database: Database[Transaction]) -> None:
    assert isinstance(await attempt(database, key="a"), Fresh)
    assert isinstance(await attempt(database, key="b"), Fresh)


async def test_a_rolled_back_request_leaves_the_key_free(database: Database[Transaction]) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            claimed = await claim(tx, principal="p", operation="pay", key="k", fingerprint=b"request")
            assert isinstance(claimed, Fresh)
            await remember(tx, claimed, status=201, body=b"{}")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert isinstance(await attempt(database), Fresh)


async def test_a_key_that_is_held_is_refused_at_once(database: Database[Transaction]) -> None:
    async with database.transaction() as tx:
        await claim(tx, principal="p", operation="pay", key="k", fingerprint=b"request")
        with pytest.raises(RequestInProgress) as caught:
            await asyncio.create_task(attempt(database))
    assert (caught.value.status, caught.value.final, caught.value.retry_after_s) == (409, False, 1)


async def test_fifty_at_once_have_one_effect(urls: DatabaseUrls) -> None:
    async with opened(
        urls, database_pool_size=10, database_max_overflow=0, database_pool_timeout_s=30
    ) as many:
        results = await asyncio.gather(*(attempt(many) for _ in range(50)), return_exceptions=True)
        async with many.reading() as tx:
            assert await value_of(tx, "SELECT count(*) FROM entry") == 1
    assert sum(isinstance(result, Fresh) for result in results) == 1
    assert all(isinstance(result, Fresh | Replay | RequestInProgress) for result in results)


async def test_old_records_are_forgotten_in_portions(database: Database[Transaction]) -> None:
    for number in range(3):
        await attempt(database, key=str(number))
    async with database.transaction() as tx:
        assert await forget_before(tx, before=tx.now() - timedelta(days=1)) == 0
        assert await forget_before(tx, before=tx.now() + timedelta(days=1), limit=2) == 2
        assert await forget_before(tx, before=tx.now() + timedelta(days=1), limit=2) == 1


def test_the_refusals_are_refusals() -> None:
    assert issubclass(RequestInProgress, Refusal)
    assert (IdempotencyKeyReused.status, IdempotencyKeyReused.final) == (422, True)
