"""The books from a terminal."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from ledger_books import Books, confirmed

from ledger.adapters.transaction import LedgerTransaction
from ledger.api.terminal import show_trial_balance, verify
from ledger.usecases.settle_payment import settle_payment
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock


async def test_the_chain_is_verified(
    books: Books, clock: FakeClock, urls: DatabaseUrls, capsys: pytest.CaptureFixture[str]
) -> None:
    async with books.transaction() as tx:
        await settle_payment(tx, paid=confirmed(), now=clock.now())
    assert await verify(books.transaction) == 0
    assert "1 seals over 1 journals hold" in capsys.readouterr().out


async def test_a_broken_chain_is_an_error(
    books: Books, clock: FakeClock, urls: DatabaseUrls, capsys: pytest.CaptureFixture[str]
) -> None:
    async with books.transaction() as tx:
        await settle_payment(tx, paid=confirmed(), now=clock.now())
    connection = await asyncpg.connect(urls.admin_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("DELETE FROM ledger_entries WHERE entry_type = 'CREDIT'")
    finally:
        await connection.close()
    assert await verify(books.transaction) == 1
    assert "BROKEN at seal 1" in capsys.readouterr().err


class Busy:
    """A repository whose readers are disturbed: `meanwhile` happens after each answer but a page of some."""

    def __init__(self, repository: Any, *, meanwhile: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._repository = repository
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def disturbed(*args: Any, **values: Any) -> Any:
            answer = await getattr(self._repository, name)(*args, **values)
            if not (isinstance(answer, list) and answer):
                await asyncio.create_task(self._meanwhile())  # whoever posts does so in a task of their own
            return answer

        return disturbed


async def test_books_that_are_posted_into_meanwhile_are_read_of_one_moment(
    books: Books, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async def post() -> None:
        async with books.transaction() as tx:
            await settle_payment(tx, paid=confirmed(), now=clock.now())

    @asynccontextmanager
    async def disturbed() -> AsyncIterator[LedgerTransaction]:
        async with books.transaction() as tx:
            tx.seals, tx.balances = Busy(tx.seals, meanwhile=post), Busy(tx.balances, meanwhile=post)
            yield tx

    await post()
    assert await verify(disturbed) == 0
    assert "1 seals over 1 journals hold" in capsys.readouterr().out
    assert await show_trial_balance(disturbed, codes=("1100", "1300", "2100", "4100", "4200")) == 0
    assert await verify(books.transaction) == 0
