"""Partitions are made ahead, and what is left of them is known long before it ends."""

import asyncpg
from ledger_books import Books, confirmed, query

from ledger.usecases.make_partitions import make_partitions
from ledger.usecases.settle_payment import settle_payment
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock


async def test_the_room_ends_with_the_last_month_that_has_a_partition(books: Books, clock: FakeClock) -> None:
    async with books.transaction() as tx:
        await make_partitions(tx, days_ahead=400, now=clock.now())
        room = await tx.journals.partition_room(today=clock.now().date())
    assert 400 <= room.days_ahead <= 431
    assert room.in_default == 0


async def test_a_missing_month_shows_and_its_entries_are_counted(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    today = clock.now().date()
    connection = await asyncpg.connect(urls.admin_url)
    try:
        await connection.execute(f"DROP TABLE ledger_entries_{today:%Y%m}")
    finally:
        await connection.close()
    async with books.transaction() as tx:
        await settle_payment(tx, paid=confirmed(), now=clock.now())
    async with books.transaction() as tx:
        room = await tx.journals.partition_room(today=today)
    assert (room.days_ahead, room.in_default) == (0, 7)
    assert len(await query(urls, "SELECT 1 FROM ledger_entries_default")) == 7


async def test_the_chart_in_the_database_says_side_and_policy(urls: DatabaseUrls) -> None:
    rows = await query(urls, "SELECT code, normal_side, posting_policy FROM ledger_accounts")
    found = {row["code"]: (row["normal_side"], row["posting_policy"]) for row in rows}
    assert found["2100"] == ("CREDIT", "AUTHORISING")
    assert found["1350"] == ("DEBIT", "AUTHORISING")
    assert found["1100"] == ("DEBIT", "RECORDING")
    assert found["4200"] == ("CREDIT", "RECORDING")
