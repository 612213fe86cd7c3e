"""Books that were kept before the chain of batches: upgrading seals them, and loses nothing of them."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final

import asyncpg
import pytest
from ledger_books import Books, confirmed, open_books, query

from devstack import folders
from kernel.ids import new_id
from ledger.api import terminal
from ledger.domain.chart import DRIVER_PAYABLE, DRIVER_RECEIVABLE, PAYOUT_IN_TRANSIT
from ledger.usecases.calculate_running_balances import calculate_running_balances
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.verify_seals import Verdict, verify_seals
from storage import DatabaseSettings, migrations
from testkit.apart import in_thread
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock

IN_ONE_BATCH: Final = 2000
SMALL: Final = 2003
DRIVER, PASSENGER = new_id(), new_id()
# Journals of two lines, a little of everything that can make two of them differ in how they are ordered and hashed.
MANY: Final = """
WITH n AS (
  SELECT i, gen_random_uuid() AS id, DATE '2026-01-25' + i / 100 AS day,
         timestamptz '2026-01-25 12:00Z' + i / 2 * interval '1 minute' AS at
  FROM generate_series(1, $1::integer) i),
e AS (
  INSERT INTO financial_events (id, event_type, amount, external_id, metadata, occurred_at)
  SELECT id, 'journal.manual', i, 'old:' || i, '{"reason": "ação"}', at FROM n),
j AS (
  INSERT INTO journals (id, transaction_id, event_id, event_type, entity_type, entity_id, reference_number,
                        description, line_count, transaction_date, occurred_at, created_at)
  SELECT id, 'old_' || i, id, 'journal.manual', 'MANUAL', 'old_' || i, CASE WHEN i % 2 = 0 THEN 'ref ' || i END,
         'Lançamento antigo', 2, day, at - interval '1 day', at FROM n)
INSERT INTO ledger_entries (transaction_id, account_id, entry_type, amount, entity_type, entity_id,
                            reference_number, description, transaction_date, created_at, journal_id)
SELECT 'old_' || n.i, a.id, s.side, n.i + 0.01, 'MANUAL', 'old_' || n.i, CASE WHEN i % 2 = 0 THEN 'ref ' || i END,
       'Lançamento antigo', n.day, n.at, n.id
FROM n, (VALUES ('1100', 'DEBIT'), ('3100', 'CREDIT')) s(code, side)
JOIN ledger_accounts a ON a.code = s.code
ORDER BY n.i, s.side DESC"""
ONE: Final = """
WITH e AS (
  INSERT INTO financial_events (id, event_type, amount, external_id, occurred_at)
  VALUES ($1, $3, 50, $2, timestamptz '2026-03-10 12:00Z')),
j AS (
  INSERT INTO journals (id, transaction_id, event_id, event_type, entity_type, entity_id, description, driver_id,
                        line_count, reverses, transaction_date, occurred_at, created_at)
  VALUES ($1, $2, $1, $3, 'PAYMENT', 'p1', 'x', $4, cardinality($6::text[]), $5, DATE '2026-03-10',
          timestamptz '2026-03-10 12:00Z', timestamptz '2026-03-10 12:00Z'))
INSERT INTO ledger_entries (transaction_id, account_id, entry_type, amount, driver_id, passenger_id, entity_type,
                            entity_id, description, reversed, reversal_entry_id, transaction_date, created_at,
                            journal_id)
SELECT $2, a.id, l.side, l.amount::numeric, CASE a.owner_kind WHEN 'driver' THEN $4::uuid END,
       CASE a.owner_kind WHEN 'passenger' THEN $10::uuid END, 'PAYMENT', 'p1', 'x', l.reverses IS NOT NULL,
       l.reverses, DATE '2026-03-10', timestamptz '2026-03-10 12:00Z', $1
FROM unnest($6::text[], $7::text[], $8::text[], $9::bigint[]) WITH ORDINALITY AS l(code, side, amount, reverses, n)
JOIN ledger_accounts a ON a.code = l.code ORDER BY l.n"""
KEPT: Final = """
INSERT INTO account_balances (account_id, owner_id, balance, version, updated_at)
SELECT a.id, $2, $3::numeric, $4, now() FROM ledger_accounts a WHERE a.code = $1"""
NOBODY: Final = "00000000-0000-0000-0000-000000000000"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def post(
    connection: Any,
    name: str,
    *lines: tuple[str, str, str],
    reverses: Any = None,
    of: tuple[int | None, ...] | None = None,
) -> Any:
    """One journal as the service of that time wrote it; its id."""
    journal_id = new_id()
    await connection.execute(
        ONE,
        journal_id,
        name,
        "ledger.reversed" if reverses else "payment.confirmed",
        DRIVER,
        reverses,
        [code for code, _, _ in lines],
        [side for _, side, _ in lines],
        [amount for _, _, amount in lines],
        list(of or [None] * len(lines)),
        PASSENGER,
    )
    return journal_id


async def keep_books(connection: Any) -> None:
    """As the service's role: thousands of small journals, a payment, one that was reversed, and kept balances."""
    async with connection.transaction():
        await connection.execute(MANY, SMALL)
    async with connection.transaction():
        payment = (
            ("1100", "DEBIT", "50"),
            ("4100", "CREDIT", "9.5"),
            ("2100", "CREDIT", "40"),
            ("2200", "CREDIT", "0.5"),
        )
        await post(connection, "payment_1", *payment)
        wrong = await post(connection, "payment_2", ("1100", "DEBIT", "7"), ("2100", "CREDIT", "7"))
    debit, credit = await connection.fetch(
        "SELECT id FROM ledger_entries WHERE journal_id = $1 ORDER BY id", wrong
    )
    undone = (("2100", "DEBIT", "7"), ("1100", "CREDIT", "7"))
    async with connection.transaction():
        await post(connection, "payment_2_reversal", *undone, reverses=wrong, of=(credit["id"], debit["id"]))
    for code, owner, balance, version in (
        # A driver's rows were always made together.
        (DRIVER_PAYABLE, DRIVER, "40", 3),
        (PAYOUT_IN_TRANSIT, DRIVER, "0", 0),
        (DRIVER_RECEIVABLE, DRIVER, "0", 0),
        ("2200", PASSENGER, "0.5", 1),
        # What had been folded of the account itself: less than all.
        ("1100", NOBODY, "12", 1),
    ):
        await connection.execute(KEPT, code, owner, balance, version)


@pytest.fixture
def folder() -> Any:
    return folders.ROOT / "services" / "ledger"


@pytest.fixture
async def old_books(make_database: Callable[[str], DatabaseUrls], folder: Any) -> DatabaseUrls:
    """A database of before the chain of batches, in use."""
    urls = make_database("ledger")
    settings = settings_of(urls)
    in_thread(lambda: migrations.downgrade(folder, settings))
    in_thread(lambda: migrations.run(folder, settings, revision="0003"))
    async with connected(urls.app_url) as connection:
        await keep_books(connection)
    return urls


def settings_of(urls: DatabaseUrls) -> DatabaseSettings:
    return DatabaseSettings(database_url=urls.app_url, database_owner_url=urls.owner_url)


def upgrade(urls: DatabaseUrls, folder: Any) -> None:
    settings = settings_of(urls)
    in_thread(lambda: migrations.run(folder, settings))


@pytest.fixture
async def books(old_books: DatabaseUrls, folder: Any, clock: FakeClock) -> AsyncIterator[Books]:
    """The same database, upgraded."""
    upgrade(old_books, folder)
    async with open_books(old_books, clock) as opened:
        yield opened


async def balances(urls: DatabaseUrls) -> Mapping[str, Decimal]:
    rows = await query(urls, "SELECT code, balance FROM trial_balance")
    return {row["code"]: row["balance"] for row in rows}


async def sub_balances(urls: DatabaseUrls) -> set[tuple[Any, ...]]:
    rows = await query(
        urls,
        "SELECT a.code, b.owner_id, b.balance, b.version FROM account_balances b"
        " JOIN ledger_accounts a ON a.id = b.account_id WHERE a.owner_kind IS NOT NULL"
        f" AND b.owner_id <> '{NOBODY}'",
    )
    return {tuple(row.values()) for row in rows}


async def verdict(books: Books) -> Verdict:
    async with books.reading() as tx:
        return await verify_seals(tx, anchors=[])


async def test_upgraded_books_are_sealed_whole_and_every_balance_is_what_it_was(
    old_books: DatabaseUrls, folder: Any, clock: FakeClock
) -> None:
    entries = "SELECT * FROM ledger_entries ORDER BY id"
    before = (await balances(old_books), await sub_balances(old_books), await query(old_books, entries))

    upgrade(old_books, folder)

    async with open_books(old_books, clock) as books:
        found = await verdict(books)
        assert (found.fault, found.seals, found.journals) == (None, 2, SMALL + 3)
        async with books.transaction() as tx:
            await calculate_running_balances(tx, now=clock.now())
        async with books.reading() as tx:
            running = await tx.balances.all_accounts()
    assert running == before[0]
    assert (await balances(old_books), await sub_balances(old_books)) == before[:2]
    columns = [name for name in before[2][0].keys() if name != "line"]  # noqa: SIM118 - a record's
    after = await query(old_books, entries)
    assert [[row[name] for name in columns] for row in after] == [
        [row[name] for name in columns] for row in before[2]
    ]
    assert await query(old_books, "SELECT * FROM balance_differences") == []


async def test_what_is_posted_after_the_upgrade_follows_in_the_same_chain(
    books: Books, old_books: DatabaseUrls, clock: FakeClock
) -> None:
    [newest] = await query(
        old_books,
        "SELECT (SELECT max(id) FROM ledger_entries) AS id, (SELECT max(batch) FROM journals) AS batch",
    )
    async with books.transaction() as tx:
        await settle_payment(tx, paid=confirmed(driver_id=DRIVER), now=clock.now())
    found = await verdict(books)
    assert (found.fault, found.seals) == (None, 3)
    [row] = await query(
        old_books,
        f"SELECT min(e.id) AS id, min(j.batch) AS batch FROM ledger_entries e"
        f" JOIN journals j ON j.id = e.journal_id WHERE j.batch > {newest['batch']}",
    )
    assert row["id"] > newest["id"]
    assert (DRIVER, Decimal(80)) in {(one[1], one[2]) for one in await sub_balances(old_books)}


@pytest.mark.parametrize(
    ("edit", "seal"),
    [
        ("UPDATE ledger_entries SET amount = amount + 1 WHERE transaction_id = 'old_7'", 1),
        ("DELETE FROM ledger_entries WHERE transaction_id = 'payment_1' AND amount = 0.5", 2),
        ("UPDATE ledger_entries SET driver_id = gen_random_uuid() WHERE transaction_id = 'payment_2'", 2),
    ],
)
async def test_a_row_of_before_that_is_edited_afterwards_is_found(
    books: Books, old_books: DatabaseUrls, capsys: pytest.CaptureFixture[str], edit: str, seal: int
) -> None:
    assert await terminal.verify(books.transaction) == 0
    async with connected(old_books.admin_url) as connection:
        await connection.execute("SET session_replication_role = replica")
        assert (await connection.execute(edit)).split()[-1] != "0"
    assert await terminal.verify(books.transaction) == 1
    assert f"BROKEN at seal {seal} (batch {seal})" in capsys.readouterr().err


async def test_a_seal_of_before_covers_as_many_journals_as_one_may(
    books: Books, old_books: DatabaseUrls
) -> None:
    rows = await query(old_books, "SELECT journal_count, entry_count FROM ledger_seals ORDER BY seq")
    assert [tuple(row.values()) for row in rows] == [(IN_ONE_BATCH, 2 * IN_ONE_BATCH), (6, 14)]
