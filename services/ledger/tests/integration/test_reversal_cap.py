"""The database lets no entry be reversed beyond its amount, whoever posts and in however many parts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from ledger_books import Books, confirmed, query, refunded
from ledger_office import admin, consume

from kernel.ids import new_id
from kernel.money import money
from ledger.usecases.reverse_transaction import reverse_transaction
from testkit import eventually
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock

Connection = Any  # asyncpg's Connection is generic in its stubs only
TODAY = date(2026, 3, 10)
REVERSE = """
WITH e AS (
  INSERT INTO financial_events (id, event_type, amount, external_id, occurred_at)
  VALUES ($1, 'test', 1, $1::uuid::text, now()) RETURNING id),
j AS (
  INSERT INTO journals (id, transaction_id, event_id, event_type, entity_type, entity_id, description,
                        line_count, transaction_date, occurred_at, created_at, batch)
  SELECT $1, $1::uuid::text, e.id, 'test', $2, $7, 'x', 2 * cardinality($5::text[]), $4, now(), now(), 1 FROM e)
INSERT INTO ledger_entries (id, line, transaction_id, account_id, entry_type, amount, entity_type, entity_id,
  description, transaction_date, created_at, journal_id, reversed, reversal_entry_id)
SELECT (SELECT max(id) FROM ledger_entries) + l.line, l.line, $1::uuid::text, a.id, l.side, l.amount::numeric, $2, $3,
       'x', $4, now(), $1, l.reverses IS NOT NULL, l.reverses
FROM (SELECT 2 * n - 1, 'DEBIT', '1100', amount, NULL::bigint FROM unnest($5::text[]) WITH ORDINALITY AS u(amount, n)
      UNION ALL
      SELECT 2 * n, 'CREDIT', '1100', amount, $6::bigint FROM unnest($5::text[]) WITH ORDINALITY AS u(amount, n)
     ) AS l(line, side, code, amount, reverses)
JOIN ledger_accounts a ON a.code = l.code"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def take_back(
    connection: Connection, original: asyncpg.Record, amounts: Sequence[str], *, journal_of: str | None = None
) -> None:
    """A journal of the original's entity that reverses it once for each of the amounts.

    `journal_of` is the entity that the journal names, if another than its entries do.
    """
    await connection.execute(
        REVERSE,
        new_id(),
        original["entity_type"],
        original["entity_id"],
        TODAY,
        list(amounts),
        original["id"],
        journal_of or original["entity_id"],
    )


@pytest.fixture
async def original(books: Books, urls: DatabaseUrls, clock: FakeClock) -> asyncpg.Record:
    """The bank's debit of a payment of 50.00."""
    await consume(books, confirmed("50.00", commission="10.00", at=clock.now()), now=clock.now())
    [entry] = await query(
        urls,
        "SELECT e.* FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id"
        " WHERE a.code = '1100' AND e.entry_type = 'DEBIT' AND e.amount = 50",
    )
    return entry


async def reversed_so_far(urls: DatabaseUrls, original: asyncpg.Record) -> Decimal:
    [row] = await query(
        urls,
        f"SELECT coalesce(sum(amount), 0) AS n FROM ledger_entries WHERE reversal_entry_id = {original['id']}",
    )
    found: Decimal = row["n"]
    return found


@pytest.mark.parametrize("role", ["app_url", "owner_url", "admin_url"])
async def test_parts_up_to_the_entry_are_taken_and_a_centavo_more_is_refused(
    urls: DatabaseUrls, original: asyncpg.Record, role: str
) -> None:
    async with connected(getattr(urls, role)) as connection:
        await take_back(connection, original, ["20.00"])
        for too_much in (["30.01"], ["20.00", "10.01"], ["50.00"]):
            with pytest.raises(asyncpg.CheckViolationError, match="more than is left"):
                await take_back(connection, original, too_much)
        await take_back(connection, original, ["29.99", "0.01"])
        with pytest.raises(asyncpg.CheckViolationError, match="more than is left"):
            await take_back(connection, original, ["0.01"])
    assert await reversed_so_far(urls, original) == Decimal("50.00")


async def test_a_journal_of_another_entity_does_not_pass_by_the_cap(
    urls: DatabaseUrls, original: asyncpg.Record
) -> None:
    async with connected(urls.app_url) as connection:
        await take_back(connection, original, ["1.00"])
        for other in ("other", str(new_id())):
            with pytest.raises(asyncpg.CheckViolationError):
                await take_back(connection, original, ["50.00", "50.00"], journal_of=other)
    assert await reversed_so_far(urls, original) == Decimal("1.00")


async def test_what_the_service_gave_back_counts(books: Books, urls: DatabaseUrls, clock: FakeClock) -> None:
    paid = confirmed("50.00", commission="10.00", at=clock.now())
    await consume(books, paid, refunded(paid, "30.00"), now=clock.now())
    for entry in await query(
        urls,
        "SELECT DISTINCT ON (o.id) o.* FROM ledger_entries o JOIN ledger_entries r ON r.reversal_entry_id = o.id"
        " WHERE o.entry_type = 'DEBIT' ORDER BY o.id",
    ):
        async with connected(urls.app_url) as connection:
            left = entry["amount"] - await reversed_so_far(urls, entry)
            with pytest.raises(asyncpg.CheckViolationError, match="more than is left"):
                await take_back(connection, entry, [str(left + Decimal("0.01"))])
    # The service's own reversal takes exactly what is left.
    async with books.transaction() as tx:
        await reverse_transaction(
            tx, transaction_id=f"payment_{paid.payment_id}", reason="wrong", actor=admin(), now=clock.now()
        )
    [over] = await query(
        urls,
        "SELECT count(*) AS n FROM ledger_entries o WHERE o.amount <"
        " (SELECT sum(r.amount) FROM ledger_entries r WHERE r.reversal_entry_id = o.id)",
    )
    assert over["n"] == 0


async def test_two_at_once_do_not_take_it_twice(urls: DatabaseUrls, original: asyncpg.Record) -> None:
    async with connected(urls.app_url) as first, connected(urls.app_url) as second:
        transaction = first.transaction()
        await transaction.start()
        await take_back(first, original, ["30.00"])
        waiting = asyncio.create_task(take_back(second, original, ["30.00"]))

        async def waits() -> bool:
            blocked = "SELECT cardinality(pg_blocking_pids($1)) AS n"
            return bool(await first.fetchval(blocked, second.get_server_pid()))

        await eventually(waits)
        await transaction.commit()
        with pytest.raises(asyncpg.CheckViolationError, match="more than is left"):
            await waiting
    assert await reversed_so_far(urls, original) == money("30.00")


async def test_who_reverses_nothing_waits_for_nobody(
    books: Books, urls: DatabaseUrls, original: asyncpg.Record, clock: FakeClock
) -> None:
    async with connected(urls.app_url) as reversing:
        transaction = reversing.transaction()
        await transaction.start()
        await take_back(reversing, original, ["30.00"])
        await consume(books, confirmed("50.00", at=clock.now()), now=clock.now())
        held = await reversing.fetchval(
            "SELECT count(*) FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = hashtext('ledger reversal')::oid"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert held == 1
        await transaction.rollback()
