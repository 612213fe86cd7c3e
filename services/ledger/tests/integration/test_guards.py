"""The database defends the books: attacked as the service's role, as the owner, and through partitions."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ledger_books import Books, confirmed, open_books, query

from kernel.ids import new_id
from ledger.domain.chart import CHART
from ledger.usecases.settle_payment import settle_payment
from storage import DatabaseSettings, migrations
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock

Connection = Any  # asyncpg's Connection is generic in its stubs only
TODAY = date(2026, 3, 10)
REFUSED = (asyncpg.CheckViolationError, asyncpg.InsufficientPrivilegeError, asyncpg.RestrictViolationError)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def insert_event(connection: Connection) -> UUID:
    event_id = new_id()
    await connection.execute(
        "INSERT INTO financial_events (id, event_type, amount, external_id, occurred_at) "
        "VALUES ($1, 'test', 1, $2, now())",
        event_id,
        str(event_id),
    )
    return event_id


Line = tuple[str, str, str]  # account code, side, amount


async def post(
    connection: Connection,
    lines: Sequence[Line],
    *,
    announced: int | None = None,
    numbers: Sequence[int] | None = None,
    days: Sequence[date] | None = None,
    reverses: int | None = None,
) -> UUID:
    """A journal and its entries by one statement; `reverses` is the entry that the first line reverses."""
    journal_id = await insert_event(connection)
    await connection.execute(
        """
WITH j AS (
  INSERT INTO journals (id, transaction_id, event_id, event_type, entity_type, entity_id, description,
                        line_count, transaction_date, occurred_at, created_at, batch)
  VALUES ($1, $1::uuid::text, $1, 'test', 'MANUAL', 'x', 'x', $2, $3, now(), now(), 1))
INSERT INTO ledger_entries (id, line, transaction_id, account_id, entry_type, amount, entity_type, entity_id,
  description, transaction_date, created_at, journal_id, reversed, reversal_entry_id)
SELECT 100 + l.line, l.line, $1::uuid::text, a.id, l.side, l.amount::numeric, 'MANUAL', 'x', 'x', l.day, now(), $1,
       l.reverses IS NOT NULL, l.reverses
FROM unnest($4::text[], $5::text[], $6::text[], $7::smallint[], $8::date[], $9::bigint[])
     AS l(code, side, amount, line, day, reverses)
JOIN ledger_accounts a ON a.code = l.code""",
        journal_id,
        len(lines) if announced is None else announced,
        TODAY,
        [code for code, _, _ in lines],
        [side for _, side, _ in lines],
        [amount for _, _, amount in lines],
        list(numbers or range(1, len(lines) + 1)),
        list(days or [TODAY] * len(lines)),
        [reverses if number == 0 else None for number in range(len(lines))],
    )
    return journal_id


PAIR: list[Line] = [("1100", "DEBIT", "1"), ("3100", "CREDIT", "1")]


async def insert_entries(connection: Connection, journal_id: UUID, lines: list[tuple[int, str, str]]) -> None:
    """Entries by a statement of their own."""
    await connection.execute(
        "INSERT INTO ledger_entries (id, line, transaction_id, account_id, entry_type, amount, entity_type, "
        "entity_id, description, transaction_date, created_at, journal_id) "
        "SELECT 200 + l.line, l.line, $1::uuid::text, a.id, l.side, 1, 'MANUAL', 'x', 'x', $2, now(), $1 "
        "FROM unnest($3::smallint[], $4::text[], $5::text[]) AS l(line, code, side) "
        "JOIN ledger_accounts a ON a.code = l.code",
        journal_id,
        TODAY,
        [line for line, _, _ in lines],
        [code for _, code, _ in lines],
        [side for _, _, side in lines],
    )


async def post_balanced(connection: Connection) -> UUID:
    async with connection.transaction():
        return await post(connection, PAIR)


async def refused(
    connection: Connection, work: Callable[[], Awaitable[Any]], *, by: tuple[type[Exception], ...] = REFUSED
) -> None:
    """`work` in one transaction does not get through: not the statements, or not the commit."""
    transaction = connection.transaction()
    await transaction.start()
    with pytest.raises(by):
        await _finish(transaction, work)


async def _finish(transaction: Any, work: Callable[[], Awaitable[Any]]) -> None:
    try:
        await work()
    except BaseException:
        await transaction.rollback()
        raise
    await transaction.commit()


@pytest.fixture(params=["app_url", "owner_url", "admin_url"])
def attacker(urls: DatabaseUrls, request: pytest.FixtureRequest) -> str:
    """Each role in turn."""
    url: str = getattr(urls, request.param)
    return url


async def test_a_balanced_journal_is_accepted(attacker: str, urls: DatabaseUrls) -> None:
    async with connected(attacker) as connection:
        await post_balanced(connection)
    assert len(await query(urls, "SELECT * FROM ledger_entries")) == 2


WRONG: dict[str, dict[str, Any]] = {
    "unbalanced": {"lines": [("1100", "DEBIT", "1"), ("3100", "CREDIT", "2")]},
    "fewer lines than announced": {"lines": PAIR, "announced": 3},
    "more lines than announced": {"lines": [*PAIR, *PAIR], "announced": 2},
    "one line": {"lines": PAIR[:1], "announced": 2},
    "no line": {"lines": [], "announced": 2},
    "one side only": {"lines": [("1100", "DEBIT", "1"), ("1300", "DEBIT", "1")]},
    "zero amounts": {"lines": [("1100", "DEBIT", "0"), ("3100", "CREDIT", "0")]},
    "negative amounts": {"lines": [("1100", "DEBIT", "-1"), ("3100", "CREDIT", "-1")]},
    "amounts that are no number": {"lines": [("1100", "DEBIT", "NaN"), ("3100", "CREDIT", "NaN")]},
    "a header account": {"lines": [("1000", "DEBIT", "1"), ("3100", "CREDIT", "1")]},
    "a driver account without a driver": {"lines": [("1100", "DEBIT", "1"), ("2100", "CREDIT", "1")]},
    "a passenger account without a passenger": {"lines": [("1100", "DEBIT", "1"), ("2200", "CREDIT", "1")]},
    "an unknown side": {"lines": [("1100", "SIDEWAYS", "1"), ("3100", "CREDIT", "1")]},
    "lines that do not begin with 1": {"lines": PAIR, "numbers": (2, 3)},
    "a line left out": {"lines": PAIR, "numbers": (1, 3)},
    "two days": {"lines": PAIR, "days": (TODAY, date(2026, 4, 1))},
    "another day than the journal's": {"lines": PAIR, "days": (date(2026, 4, 1), date(2026, 4, 1))},
}


async def test_a_wrong_journal_is_refused(attacker: str, urls: DatabaseUrls) -> None:
    async with connected(attacker) as connection:
        for wrong in WRONG.values():
            await refused(connection, partial(post, connection, **wrong))
    assert await query(urls, "SELECT * FROM journals") == []


async def test_a_journal_without_its_entries_is_refused(attacker: str) -> None:
    """Not even for the time of one statement: there is no later check that could be put off."""
    async with connected(attacker) as connection:

        async def attack() -> None:
            await connection.execute("SET CONSTRAINTS ALL DEFERRED")
            event_id = await insert_event(connection)
            await connection.execute(
                "INSERT INTO journals (id, transaction_id, event_id, event_type, entity_type, entity_id, "
                "description, line_count, transaction_date, occurred_at, created_at, batch) "
                "VALUES ($1, 'x', $1, 'test', 'MANUAL', 'x', 'x', 2, $2, now(), now(), 1)",
                event_id,
                TODAY,
            )

        await refused(connection, attack)


async def test_entries_without_a_journal_are_refused(attacker: str) -> None:
    async with connected(attacker) as connection:
        lines = [(1, "1100", "DEBIT"), (2, "3100", "CREDIT")]
        await refused(connection, lambda: insert_entries(connection, new_id(), lines))


ADDED: dict[str, list[tuple[int, str, str]]] = {
    "one line": [(3, "1100", "DEBIT")],
    "a balanced pair": [(3, "1100", "DEBIT"), (4, "3100", "CREDIT")],
    "a balanced pair in the first one's place": [(1, "1100", "DEBIT"), (2, "3100", "CREDIT")],
}
ADDED_REFUSED = (*REFUSED, asyncpg.UniqueViolationError)


async def test_nothing_is_added_to_a_posted_journal(attacker: str, urls: DatabaseUrls) -> None:
    """Neither later nor in the same transaction."""
    async with connected(attacker) as connection:
        posted = await post_balanced(connection)
        for lines in ADDED.values():
            await refused(connection, partial(insert_entries, connection, posted, lines), by=ADDED_REFUSED)
            await refused(connection, partial(_post_and_add, connection, lines), by=ADDED_REFUSED)
    assert len(await query(urls, "SELECT * FROM ledger_entries")) == 2


async def _post_and_add(connection: Connection, lines: list[tuple[int, str, str]]) -> None:
    await insert_entries(connection, await post(connection, PAIR), lines)


ONE_MORE = """(SELECT 203::bigint AS id, 3::smallint AS line, e.transaction_id, e.account_id, e.entry_type, e.amount,
  e.entity_type, e.entity_id, e.description, e.transaction_date, e.created_at, e.journal_id
  FROM ledger_entries e WHERE e.line = 1)"""
NAMES = (
    "id, line, transaction_id, account_id, entry_type, amount, entity_type, entity_id, description, "
    "transaction_date, created_at, journal_id"
)
SIDE_DOORS = {
    "the lines that are there, skipped, and one more": (
        f"INSERT INTO ledger_entries ({NAMES}) SELECT {NAMES} FROM ledger_entries UNION ALL SELECT * FROM {ONE_MORE} m "
        "ON CONFLICT DO NOTHING"
    ),
    "the lines that are there, turned over": (
        f"INSERT INTO ledger_entries ({NAMES}) SELECT {NAMES} FROM ledger_entries "
        "ON CONFLICT (journal_id, line, transaction_date) DO UPDATE SET amount = 2"
    ),
    "a merge": (
        f"MERGE INTO ledger_entries t USING {ONE_MORE} m ON t.journal_id = m.journal_id AND t.line = m.line "
        f"WHEN NOT MATCHED THEN INSERT ({NAMES}) VALUES ({', '.join(f'm.{name}' for name in NAMES.split(', '))})"
    ),
    "a merge that updates": (
        "MERGE INTO ledger_entries t USING ledger_entries m ON t.journal_id = m.journal_id AND t.line = m.line "
        "WHEN MATCHED THEN UPDATE SET amount = 2"
    ),
    "checks put off": f"SET CONSTRAINTS ALL DEFERRED; INSERT INTO ledger_entries ({NAMES}) SELECT * FROM {ONE_MORE} m",
}


async def test_no_side_door_adds_to_a_posted_journal(attacker: str, urls: DatabaseUrls) -> None:
    async with connected(attacker) as connection:
        await post_balanced(connection)
        for attack in SIDE_DOORS.values():
            await refused(connection, partial(connection.execute, attack), by=ADDED_REFUSED)
        await refused(connection, partial(_copy_one_more, connection), by=ADDED_REFUSED)
    entries = await query(urls, "SELECT amount FROM ledger_entries")
    assert [entry["amount"] for entry in entries] == [1, 1]


async def _copy_one_more(connection: Connection) -> None:
    rows = await connection.fetch(f"SELECT * FROM {ONE_MORE} m")
    await connection.copy_records_to_table("ledger_entries", records=rows, columns=NAMES.split(", "))


async def test_a_journal_of_an_unknown_event_is_refused(attacker: str) -> None:
    async with connected(attacker) as connection:

        async def attack() -> None:
            await connection.execute("CREATE TEMP TABLE made AS SELECT gen_random_uuid() AS id")
            await connection.execute(
                """
WITH j AS (
  INSERT INTO journals (id, transaction_id, event_id, event_type, entity_type, entity_id, description, line_count,
                        transaction_date, occurred_at, created_at, batch)
  SELECT id, 'x', gen_random_uuid(), 'test', 'MANUAL', 'x', 'x', 2, $1, now(), now(), 1 FROM made)
INSERT INTO ledger_entries (id, line, transaction_id, account_id, entry_type, amount, entity_type, entity_id,
                            description, transaction_date, created_at, journal_id)
SELECT 1, l.line, 'x', a.id, l.side, 1, 'MANUAL', 'x', 'x', $1, now(), made.id
FROM made, (VALUES (1, '1100', 'DEBIT'), (2, '3100', 'CREDIT')) l(line, code, side)
JOIN ledger_accounts a ON a.code = l.code""",
                TODAY,
            )

        await refused(connection, attack)


async def test_a_reversing_entry_names_an_entry_of_the_other_side_of_its_entity(attacker: str) -> None:
    async with connected(attacker) as connection:
        await post_balanced(connection)  # entry 101 is its debit
        await refused(connection, lambda: post(connection, PAIR, reverses=101))
        await refused(connection, lambda: post(connection, PAIR[::-1], reverses=999))
        await refused(connection, lambda: _reverse_elsewhere(connection))
        await post(connection, PAIR[::-1], reverses=101)


async def _reverse_elsewhere(connection: Connection) -> None:
    journal_id = await insert_event(connection)
    await connection.execute(
        """
WITH j AS (
  INSERT INTO journals (id, transaction_id, event_id, event_type, entity_type, entity_id, description, line_count,
                        transaction_date, occurred_at, created_at, batch)
  VALUES ($1, $1::uuid::text, $1, 'test', 'MANUAL', 'other', 'x', 2, $2, now(), now(), 1))
INSERT INTO ledger_entries (id, line, transaction_id, account_id, entry_type, amount, entity_type, entity_id,
                            description, transaction_date, created_at, journal_id, reversed, reversal_entry_id)
SELECT 300 + l.line, l.line, $1::uuid::text, a.id, l.side, 1, 'MANUAL', 'other', 'x', $2, now(), $1, l.line = 1,
       CASE l.line WHEN 1 THEN 101 END
FROM (VALUES (1, '3100', 'CREDIT'), (2, '1100', 'DEBIT')) l(line, code, side)
JOIN ledger_accounts a ON a.code = l.code""",
        journal_id,
        TODAY,
    )


async def test_nobody_inserts_into_a_partition(attacker: str, urls: DatabaseUrls) -> None:
    async with connected(attacker) as connection:
        await post_balanced(connection)
        [row] = await query(urls, "SELECT tableoid::regclass::text AS name FROM ledger_entries LIMIT 1")
        for name in (row["name"], "ledger_entries_default"):
            with pytest.raises(REFUSED):
                await connection.execute(f"INSERT INTO {name} SELECT * FROM ledger_entries")
    assert len(await query(urls, "SELECT * FROM ledger_entries")) == 2


CHANGES = (
    "UPDATE ledger_entries SET amount = 2",
    "UPDATE ledger_entries SET reversed = true, reversal_entry_id = id",
    "DELETE FROM ledger_entries",
    "TRUNCATE ledger_entries",
    "TRUNCATE {partition}",
    "UPDATE {partition} SET amount = 2",
    "DELETE FROM {partition}",
    "UPDATE journals SET description = 'x'",
    "DELETE FROM journals",
    "TRUNCATE journals CASCADE",
    "UPDATE financial_events SET amount = 2",
    "DELETE FROM financial_events",
    "TRUNCATE financial_events CASCADE",
    "TRUNCATE account_balances",
    "TRUNCATE reconciliation_cases",
)


async def test_nothing_posted_is_changed_or_deleted(attacker: str, urls: DatabaseUrls) -> None:
    async with connected(urls.app_url) as connection:
        await post_balanced(connection)
    before = await query(urls, "SELECT * FROM ledger_entries ORDER BY id")
    [row] = await query(urls, "SELECT tableoid::regclass::text AS name FROM ledger_entries LIMIT 1")

    async with connected(attacker) as connection:
        for attack in CHANGES:
            with pytest.raises(REFUSED):
                await connection.execute(attack.format(partition=row["name"]))

    assert await query(urls, "SELECT * FROM ledger_entries ORDER BY id") == before


async def test_the_services_role_may_only_read_and_insert(urls: DatabaseUrls) -> None:
    async with connected(urls.app_url) as connection:
        for attack in (
            "INSERT INTO ledger_entries_default SELECT * FROM ledger_entries_default",
            "SELECT * FROM ledger_entries_default",
            "DELETE FROM account_balances",
            "DELETE FROM reconciliation_cases",
            "UPDATE ledger_accounts SET active = false",
            "INSERT INTO ledger_accounts SELECT gen_random_uuid(), '9', 'X' FROM ledger_accounts",
            "UPDATE ledger_seals SET seq = 2",
            "UPDATE ledger_movements SET amount = 2",
            "DELETE FROM ledger_chain",
            "INSERT INTO ledger_chain (only_row) VALUES (true)",
            "ALTER TABLE ledger_entries DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
            "DROP TABLE ledger_entries_default",
            "SELECT ledger_guard_partition('journals')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(attack)


async def test_partitions_made_later_are_guarded_too(urls: DatabaseUrls) -> None:
    async with connected(urls.app_url) as connection:
        made = await connection.fetchval("SELECT ledger_make_partitions('2030-01-01', '2030-02-15')")
        again = await connection.fetchval("SELECT ledger_make_partitions('2030-01-01', '2030-02-15')")
        assert (made, again) == (2, 0)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT * FROM ledger_entries_203001")
    async with connected(urls.owner_url) as connection:
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute("TRUNCATE ledger_entries_203002")
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute("INSERT INTO ledger_entries_203002 DEFAULT VALUES")


async def test_a_subbalance_cannot_become_negative(
    urls: DatabaseUrls, books: Books, clock: FakeClock
) -> None:
    async with books.transaction() as tx:
        await settle_payment(tx, paid=confirmed(), now=clock.now())
    async with connected(urls.app_url) as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE account_balances SET balance = balance - 1000")


async def test_the_seeded_chart_is_the_domains(urls: DatabaseUrls) -> None:
    rows = await query(
        urls, "SELECT code, name, account_type, classification, owner_kind FROM ledger_accounts"
    )
    seeded = {tuple(row.values()) for row in rows}
    assert seeded == {
        (a.code, a.name, a.account_type.value, a.classification.value, a.owner.value if a.owner else None)
        for a in CHART
    }


async def test_the_migrations_run_back_and_forth(
    make_database: Callable[[str], DatabaseUrls], clock: FakeClock
) -> None:
    from devstack import folders
    from testkit.apart import in_thread

    urls = make_database("ledger")
    settings = DatabaseSettings(database_url=urls.app_url, database_owner_url=urls.owner_url)
    folder = folders.ROOT / "services" / "ledger"

    in_thread(lambda: migrations.downgrade(folder, settings))
    assert await query(urls, "SELECT 1 FROM pg_class WHERE relname LIKE 'ledger%'") == []
    in_thread(lambda: migrations.run(folder, settings))

    async with open_books(urls, clock) as books, books.transaction() as tx:
        await settle_payment(tx, paid=confirmed(), now=clock.now())
