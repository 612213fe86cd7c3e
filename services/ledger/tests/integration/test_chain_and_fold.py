"""Running balances, also while others post: they are folded by the order of commit."""

import asyncio
from decimal import Decimal

from ledger_books import Books, assert_sound, confirmed, query

from kernel.ids import new_id
from ledger.usecases.calculate_running_balances import calculate_running_balances
from ledger.usecases.get_account_balance import get_account_balance
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.verify_seals import verify_seals
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock


async def bank(books: Books) -> Decimal:
    async with books.reading() as tx:
        return await get_account_balance(tx, code="1100")


async def pay(books: Books, clock: FakeClock, *, payments: int = 1) -> None:
    async with books.transaction() as tx:
        for _ in range(payments):
            await settle_payment(tx, paid=confirmed(), now=clock.now())


async def fold(books: Books, clock: FakeClock) -> int:
    async with books.transaction() as tx:
        return await calculate_running_balances(tx, now=clock.now())


async def test_a_balance_is_the_same_before_and_after_folding(books: Books, clock: FakeClock) -> None:
    await pay(books, clock)
    assert await bank(books) == Decimal("50.00")

    assert await fold(books, clock) == 4
    assert await bank(books) == Decimal("50.00")
    await pay(books, clock)
    assert await bank(books) == Decimal("100.00")
    assert await fold(books, clock) == 4
    assert await fold(books, clock) == 0
    assert await bank(books) == Decimal("100.00")


async def test_what_commits_after_a_fold_is_folded_by_the_next(books: Books, clock: FakeClock) -> None:
    """A transaction that began before another one and ends after it is neither skipped nor counted twice."""
    async with books.transaction() as early:
        await settle_payment(early, paid=confirmed(), now=clock.now())
        await early.book.post()
        await asyncio.create_task(pay(books, clock))
        assert await asyncio.create_task(fold(books, clock)) == 4
    assert await bank(books) == Decimal("100.00")
    await fold(books, clock)
    assert await bank(books) == Decimal("100.00")


async def test_a_transaction_is_one_link_of_the_chain(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    await pay(books, clock)
    await pay(books, clock, payments=2)

    first, second = await query(urls, "SELECT * FROM ledger_seals ORDER BY seq")
    assert (first["journal_count"], second["journal_count"]) == (1, 2)
    assert (second["journals"], second["entries"]) == (3, 21)
    assert second["previous_hash"] == first["hash"]
    async with books.reading() as tx:
        verdict = await verify_seals(tx)
    assert (verdict.seals, verdict.journals, verdict.fault) == (2, 3, None)
    assert verdict.head == second["hash"].hex()


async def test_concurrent_batches_of_the_same_drivers_make_one_chain(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    drivers = [new_id() for _ in range(5)]

    async def batch() -> None:
        async with books.transaction() as tx:
            for driver_id in drivers:
                await settle_payment(tx, paid=confirmed(driver_id=driver_id), now=clock.now())

    await asyncio.gather(*(batch() for _ in range(8)))

    async with books.reading() as tx:
        verdict = await verify_seals(tx)
        balances = [await tx.balances.of_driver(driver_id) for driver_id in drivers]
    assert (verdict.seals, verdict.journals, verdict.fault) == (8, 40, None)
    assert {(balance.available, balance.version) for balance in balances} == {(Decimal("320.00"), 8)}
    await assert_sound(urls)
