"""The database defends the books: attacked as the service's role, as the owner, and through partitions."""

from collections.abc import AsyncIterator, Awaitable, Callable
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


async def insert_journal(connection: Connection, *, lines: int = 2) -> UUID:
    event_id = await insert_event(connection)
    await connection.execute(
        "INSERT INTO journals (id, transaction_id, event_id, event_type, entity_type, entity_id, "
        "description, line_count, transaction_date, occurred_at, created_at, xid) "
        "VALUES ($1, $2, $1, 'test', 'MANUAL', 'x', 'x', $3, $4, now(), now(), '1')",
        event_id,
        str(event_id),
        lines,
        TODAY,
    )
    return event_id


async def insert_entry(
    connection: Connection,
    journal_id: UUID,
    *,
    code: str,
    side: str,
    amount: str = "1",
    day: date = TODAY,
    reverses: int | None = None,
) -> None:
    await connection.execute(
        "INSERT INTO ledger_entries (transaction_id, account_id, entry_type, amount, entity_type, entity_id, "
        "description, transaction_date, created_at, journal_id, reversed, reversal_entry_id) "
        "SELECT $1, id, $3, $4::text::numeric, 'MANUAL', 'x', 'x', $5, now(), $6, $7::bigint IS NOT NULL, $7 "
        "FROM ledger_accounts WHERE code = $2",
        str(journal_id),
        code,
        side,
        amount,
        day,
        journal_id,
        reverses,
    )


async def post_balanced(connection: Connection) -> UUID:
    async with connection.transaction():
        journal_id = await insert_journal(connection)
        await insert_entry(connection, journal_id, code="1100", side="DEBIT")
        await insert_entry(connection, journal_id, code="3100", side="CREDIT")
    return journal_id


async def refused(connection: Connection, work: Callable[[], Awaitable[None]]) -> None:
    """`work` in one transaction does not get through: not the statements, or not the commit."""
    transaction = connection.transaction()
    await transaction.start()
    with pytest.raises(REFUSED):
        await _finish(transaction, work)


async def _finish(transaction: Any, work: Callable[[], Awaitable[None]]) -> None:
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


WRONG = {
    "unbalanced": (2, [("1100", "DEBIT", "1"), ("3100", "CREDIT", "2")]),
    "fewer lines than announced": (3, [("1100", "DEBIT", "1"), ("3100", "CREDIT", "1")]),
    "one line": (2, [("1100", "DEBIT", "1")]),
    "no line": (2, []),
    "zero amounts": (2, [("1100", "DEBIT", "0"), ("3100", "CREDIT", "0")]),
    "negative amounts": (2, [("1100", "DEBIT", "-1"), ("3100", "CREDIT", "-1")]),
    "a header account": (2, [("1000", "DEBIT", "1"), ("3100", "CREDIT", "1")]),
    "a driver account without a driver": (2, [("1100", "DEBIT", "1"), ("2100", "CREDIT", "1")]),
    "an unknown side": (2, [("1100", "SIDEWAYS", "1"), ("3100", "CREDIT", "1")]),
}


async def test_a_wrong_journal_cannot_be_committed(attacker: str, urls: DatabaseUrls) -> None:
    async with connected(attacker) as connection:
        for lines, entries in WRONG.values():
            await refused(connection, partial(_post, connection, lines, entries))
    assert await query(urls, "SELECT * FROM journals") == []


async def _post(connection: Connection, lines: int, entries: list[tuple[str, str, str]]) -> None:
    journal_id = await insert_journal(connection, lines=lines)
    for code, side, amount in entries:
        await insert_entry(connection, journal_id, code=code, side=side, amount=amount)


async def test_a_journal_split_over_two_days_cannot_be_committed(attacker: str, urls: DatabaseUrls) -> None:
    async with connected(attacker) as connection:

        async def attack() -> None:
            journal_id = await insert_journal(connection)
            await insert_entry(connection, journal_id, code="1100", side="DEBIT")
            await insert_entry(connection, journal_id, code="3100", side="CREDIT", day=date(2026, 4, 1))

        await refused(connection, attack)


async def test_a_balanced_pair_cannot_be_appended_to_an_old_journal(
    attacker: str, urls: DatabaseUrls
) -> None:
    async with connected(attacker) as connection:
        journal_id = await post_balanced(connection)

        async def attack() -> None:
            await insert_entry(connection, journal_id, code="1100", side="DEBIT")
            await insert_entry(connection, journal_id, code="3100", side="CREDIT")

        await refused(connection, attack)
    assert len(await query(urls, "SELECT * FROM ledger_entries")) == 2


async def test_checking_early_does_not_open_a_gap(attacker: str) -> None:
    async with connected(attacker) as connection:

        async def attack() -> None:
            journal_id = await insert_journal(connection)
            await insert_entry(connection, journal_id, code="1100", side="DEBIT")
            await insert_entry(connection, journal_id, code="3100", side="CREDIT")
            await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            await insert_entry(connection, journal_id, code="1100", side="DEBIT")

        await refused(connection, attack)


async def test_a_reversing_entry_names_an_entry_of_the_other_side(attacker: str, urls: DatabaseUrls) -> None:
    async with connected(attacker) as connection:
        await post_balanced(connection)
        [debit] = await query(urls, "SELECT id FROM ledger_entries WHERE entry_type = 'DEBIT'")

        async def attack() -> None:
            journal_id = await insert_journal(connection)
            await insert_entry(connection, journal_id, code="1100", side="DEBIT", reverses=debit["id"])
            await insert_entry(connection, journal_id, code="3100", side="CREDIT")

        await refused(connection, attack)


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
