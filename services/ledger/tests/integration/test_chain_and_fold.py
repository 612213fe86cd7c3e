"""Running balances and the hash chain, also while transactions commit out of order."""

from decimal import Decimal

import asyncpg
from ledger_books import Books, confirmed, query, until_finished

from ledger.usecases.calculate_running_balances import calculate_running_balances
from ledger.usecases.get_account_balance import get_account_balance
from ledger.usecases.seal_journals import seal_journals
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.verify_seals import verify_seals
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock


async def bank(books: Books) -> Decimal:
    async with books.reading() as tx:
        return await get_account_balance(tx, code="1100")


async def pay(books: Books, clock: FakeClock, urls: DatabaseUrls) -> None:
    async with books.transaction() as tx:
        await settle_payment(tx, paid=confirmed(), now=clock.now())
    await until_finished(urls)


async def fold(books: Books, clock: FakeClock) -> int:
    async with books.transaction() as tx:
        return await calculate_running_balances(tx, now=clock.now())


async def test_a_balance_is_the_same_before_and_after_folding(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    await pay(books, clock, urls)
    assert await bank(books) == Decimal("50.00")

    assert await fold(books, clock) == 4
    assert await bank(books) == Decimal("50.00")
    await pay(books, clock, urls)
    assert await bank(books) == Decimal("100.00")
    assert await fold(books, clock) == 4
    assert await fold(books, clock) == 0
    assert await bank(books) == Decimal("100.00")


async def test_an_entry_that_commits_late_is_not_skipped(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    async with books.transaction() as early:
        await settle_payment(early, paid=confirmed(), now=clock.now())
        await early.book.post()
        later = await asyncpg.connect(urls.app_url)
        try:
            # A later transaction id ends first; the fold must wait for the earlier one.
            await later.execute("SELECT pg_current_xact_id()")
            async with later.transaction():
                since = await later.fetchval("SELECT folded_to::text FROM running_balance_mark")
                horizon = await later.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
                await later.execute(
                    "UPDATE running_balance_mark SET folded_to = $1::text::xid8, folded_at = now()", horizon
                )
        finally:
            await later.close()
        assert since == "0"
    assert await bank(books) == Decimal("50.00")
    await fold(books, clock)
    assert await bank(books) == Decimal("50.00")


async def test_a_chain_holds_and_grows(books: Books, urls: DatabaseUrls, clock: FakeClock) -> None:
    async with books.transaction() as tx:
        assert await seal_journals(tx, limit=100, now=clock.now()) is None
    await pay(books, clock, urls)
    async with books.transaction() as tx:
        first = await seal_journals(tx, limit=100, now=clock.now())
    await pay(books, clock, urls)
    await pay(books, clock, urls)
    async with books.transaction() as tx:
        second = await seal_journals(tx, limit=100, now=clock.now())

    assert first is not None
    assert second is not None
    assert (first.journal_count, second.journal_count) == (3, 6)
    assert second.previous_hash == first.hash
    async with books.reading() as tx:
        verdict = await verify_seals(tx)
    assert (verdict.seals, verdict.journals, verdict.broken_seq) == (2, 9, None)
    assert verdict.head == second.hash.hex()


async def test_a_backlog_is_sealed_in_pieces_of_whole_transactions(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    for _ in range(4):
        await pay(books, clock, urls)
    pieces = []
    for _ in range(3):
        async with books.transaction() as tx:
            pieces.append(await seal_journals(tx, limit=5, now=clock.now()))
    assert [piece.journal_count for piece in pieces if piece] == [6, 6]
    async with books.reading() as tx:
        assert (await verify_seals(tx)).journals == 12


async def test_a_superusers_edit_breaks_the_chain(books: Books, urls: DatabaseUrls, clock: FakeClock) -> None:
    for _ in range(3):
        await pay(books, clock, urls)
        async with books.transaction() as tx:
            await seal_journals(tx, limit=100, now=clock.now())
    [row] = await query(
        urls, "SELECT max(id) AS id FROM ledger_entries WHERE journal_id IN (SELECT id FROM journals)"
    )
    connection = await asyncpg.connect(urls.admin_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE ledger_entries SET amount = amount + 1 WHERE id = $1", row["id"])
    finally:
        await connection.close()

    async with books.reading() as tx:
        verdict = await verify_seals(tx)

    assert (verdict.seals, verdict.broken_seq) == (2, 3)
