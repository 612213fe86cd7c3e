"""Days that are over: snapshots, balances as of a moment, closed days, and what the database refuses in them."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from ledger_books import Books, confirmed, of_type, query, ready, refunded
from ledger_office import (
    admin,
    capital,
    closed,
    consume,
    paid_out,
    post_manual,
    received_line,
    statement_line,
)

from contracts.audit import AuditRecorded
from contracts.payment import StatementLineKind
from kernel.business_day import business_day, day_bounds
from kernel.ids import new_id
from kernel.money import money
from ledger.domain.as_of import By, Moment, end_of
from ledger.domain.closing import DayNotOver, DayNotReconciled, DayOutOfOrder
from ledger.jobs import snapshot
from ledger.usecases.close_day import close_day
from ledger.usecases.get_account_balance import NoOwners, get_account_balance
from ledger.usecases.get_balance_sheet import get_balance_sheet
from ledger.usecases.get_trial_balance import get_trial_balance
from ledger.usecases.list_closed_days import list_closed_days
from ledger.usecases.recheck_statements import recheck_statements
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.take_day_snapshots import take_day_snapshots
from ledger.usecases.verify_snapshots import verify_snapshots
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.outbox import published

DAY_S = 86_400
KEPT = {
    "day_snapshots": "day",
    "day_balances": "day",
    "closed_days": "day",
    "statement_lines": "day",
    "statement_matches": "line_id",
}


async def balance(
    books: Books, code: str, at: datetime, *, by: By = By.RECORDED, owner_id: UUID | None = None
) -> Decimal:
    async with books.reading() as tx:
        return await get_account_balance(tx, code=code, owner_id=owner_id, as_of=Moment(at=at, by=by))


async def take(books: Books, now: datetime, *, limit: int = 100) -> int:
    async with books.transaction() as tx:
        return await take_day_snapshots(tx, now=now, limit=limit)


async def test_a_balance_as_of_a_moment_is_the_same_with_and_without_snapshots(
    books: Books, clock: FakeClock
) -> None:
    """By recorded time an event counts when it was posted, by occurred time when it happened."""
    driver_id, passenger = new_id(), confirmed("1.00").passenger_id
    start = clock.now()
    moments: list[datetime] = []
    for days_late in (0, 0, 2, 1, 0):
        now = clock.now()
        paid = confirmed(
            "50.00", commission="10.00", driver_id=driver_id, at=now - timedelta(days=days_late, hours=1)
        )
        await consume(books, paid, ready("5.00", driver_id=driver_id), now=now)
        moments += [now - timedelta(seconds=1), now, now + timedelta(hours=6)]
        clock.advance(DAY_S)

    async def asked() -> Sequence[Decimal]:
        return [
            await balance(books, code, at, by=by, owner_id=owner)
            for code, owner in (
                ("1100", None),
                ("2100", None),
                ("2100", driver_id),
                ("2150", driver_id),
                ("2200", passenger),
            )
            for by in By
            for at in moments
        ]

    without = await asked()
    assert await take(books, clock.now()) == 5
    assert await asked() == without
    by_recorded = [await balance(books, "1100", start + timedelta(days=n)) for n in range(5)]
    assert by_recorded == [money(50 * n) for n in range(1, 6)]
    # The third came two days late, the fourth one day late: by occurred time they belong to days 0 and 2.
    by_occurred = [await balance(books, "1100", start + timedelta(days=n), by=By.OCCURRED) for n in range(5)]
    assert by_occurred == [money(amount) for amount in (100, 150, 200, 200, 250)]
    with pytest.raises(NoOwners):
        await balance(books, "1100", start, owner_id=driver_id)


async def test_a_moment_counts_to_the_microsecond(books: Books, clock: FakeClock) -> None:
    midnight = day_bounds(business_day(clock.now()))[1]
    for at in (midnight - timedelta(microseconds=1), midnight):
        clock.set(at)
        await consume(books, confirmed("1.00", commission="0.00", at=at), now=at)
    clock.advance(2 * DAY_S)
    for _ in range(2):
        seen = [
            await balance(books, "1100", midnight + timedelta(microseconds=offset), by=by)
            for by in By
            for offset in (-2, -1, 0)
        ]
        assert seen == [money(n) for n in (0, 1, 2, 0, 1, 2)]
        await take(books, clock.now())


async def test_a_snapshot_shuts_its_day_and_a_late_event_counts_to_the_open_one(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    yesterday = clock.now()
    await consume(books, confirmed("1.00", commission="0.00", at=yesterday), now=yesterday)
    clock.advance(DAY_S)
    assert await take(books, clock.now()) == 1

    with pytest.raises(asyncpg.PostgresError, match="is shut"):
        await consume(books, confirmed("2.00", commission="0.00", at=yesterday), now=yesterday)
    await consume(books, confirmed("4.00", commission="0.00", at=yesterday), now=clock.now())
    assert await balance(books, "1100", yesterday + timedelta(hours=1)) == money("1.00")
    assert await balance(books, "1100", yesterday + timedelta(hours=1), by=By.OCCURRED) == money("5.00")
    rows = await query(urls, "SELECT count(*) AS n FROM journals WHERE occurred_at < created_at")
    assert rows[0]["n"] == 1


async def test_a_snapshot_waits_for_whoever_still_posts_into_its_day(books: Books, clock: FakeClock) -> None:
    now = clock.now()
    async with books.transaction() as posting:
        await settle_payment(posting, paid=confirmed("1.00", commission="0.00", at=now), now=now)
        await posting.book.post()
        task = asyncio.create_task(take(books, now + timedelta(days=1)))
        done, _ = await asyncio.wait([task], timeout=0.3)
        assert done == set()
    assert await task == 0 or await take(books, now + timedelta(days=1)) == 0
    async with books.reading() as tx:
        found = await get_trial_balance(tx, day=business_day(now))
    assert found.totals.debits == money("3.00")


async def test_snapshots_are_kept_as_they_are(books: Books, urls: DatabaseUrls, clock: FakeClock) -> None:
    await consume(books, confirmed("1.00", commission="0.00", at=clock.now()), now=clock.now())
    clock.advance(DAY_S)
    await take(books, clock.now())
    for url in (urls.app_url, urls.owner_url, urls.admin_url):
        connection = await asyncpg.connect(url)
        try:
            for table, column in KEPT.items():
                for attack in (
                    f"DELETE FROM {table}",
                    f"UPDATE {table} SET {column} = {column}",
                    f"TRUNCATE {table} CASCADE",
                ):
                    await _refused_or_touches_nothing(connection, attack)
        finally:
            await connection.close()
    assert len(await query(urls, "SELECT * FROM day_snapshots")) == 1


async def _refused_or_touches_nothing(connection: "asyncpg.Connection[asyncpg.Record]", attack: str) -> None:
    try:
        tag = await connection.execute(attack)
    except (asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError):
        return
    assert tag.endswith(" 0"), attack


async def test_the_verifier_recomputes_every_snapshot(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    driver_id, days = new_id(), []
    for amount in ("10.00", "20.00", "30.00"):
        now = clock.now()
        days.append(business_day(now))
        paid = confirmed(amount, commission="1.00", driver_id=driver_id, at=now)
        await consume(books, paid, refunded(paid, "2.00"), now=now)
        clock.advance(DAY_S)
    clock.advance(DAY_S)
    assert await take(books, clock.now()) == 4
    async with books.reading() as tx:
        verdict = await verify_snapshots(tx)
    assert (verdict.days, verdict.broken_day) == (4, None)

    connection = await asyncpg.connect(urls.admin_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "UPDATE ledger_entries SET amount = amount + 1 WHERE transaction_date = $1", days[1]
        )
    finally:
        await connection.close()
    async with books.reading() as tx:
        verdict = await verify_snapshots(tx)
        resumed = await verify_snapshots(tx, first=days[2])
    assert (verdict.days, verdict.broken_day) == (1, days[1])
    assert resumed.broken_day is None


async def reconciled(books: Books, now: datetime) -> date:
    """A day with one payment that the bank knows too."""
    day = business_day(now)
    paid = confirmed("50.00", at=now)
    line = received_line(paid, day=day.isoformat())
    await consume(books, paid, line, closed([line], day=day.isoformat(), at=now), now=now)
    async with books.transaction() as tx:
        await recheck_statements(tx, grace_s=0, new_id=new_id, now=now)
    return day


async def close(books: Books, day: date, now: datetime) -> None:
    async with books.transaction() as tx:
        await close_day(tx, day=day, actor=admin(), now=now)


async def test_days_are_closed_in_order_once_reconciled_and_by_a_person(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    first = await reconciled(books, clock.now())
    with pytest.raises(DayNotOver):
        await close(books, first, clock.now())
    clock.advance(DAY_S)
    second = await reconciled(books, clock.now())
    clock.advance(DAY_S)
    await consume(books, confirmed("9.00", commission="0.00", at=clock.now()), now=clock.now())
    clock.advance(DAY_S)
    now = clock.now()
    await close(books, first, now)
    for wrong in (first, second + timedelta(days=1)):
        with pytest.raises(DayOutOfOrder):
            await close(books, wrong, now)
    await close(books, second, now)
    # The bank moved on the third day, and its statement has not come.
    with pytest.raises(DayNotReconciled):
        await close(books, second + timedelta(days=1), now)

    async with books.reading() as tx:
        found = await list_closed_days(tx, before=None, limit=10)
    assert [day.day for day in found] == [second, first]
    assert [row["day"] for row in await query(urls, "SELECT day FROM day_snapshots ORDER BY day")] == [
        first,
        second,
    ]
    records = of_type(await published(urls), AuditRecorded)
    assert [record.entity_id for record in records if record.action == "close_day"] == [
        str(first),
        str(second),
    ]


async def test_a_day_with_an_open_case_is_not_closed(books: Books, clock: FakeClock) -> None:
    now = clock.now()
    day = business_day(now)
    line = statement_line(StatementLineKind.PIX_RECEIVED, "9.00", day=day.isoformat(), at=now, e2e_id="E1")
    await consume(books, line, closed([line], day=day.isoformat(), at=now), now=now)
    async with books.transaction() as tx:
        assert await recheck_statements(tx, grace_s=0, new_id=new_id, now=now) == 1
    clock.advance(DAY_S)
    with pytest.raises(DayNotReconciled):
        await close(books, day, clock.now())


async def test_a_quiet_day_is_closed_without_a_statement(books: Books, clock: FakeClock) -> None:
    await close(books, business_day(clock.now()) - timedelta(days=1), clock.now())


async def test_the_job_takes_every_day_that_is_over_and_none_that_is_not(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    class Deps:
        transaction = staticmethod(books.transaction)
        partition_days_ahead, recheck_grace_s, idempotency_keep_s = 1, 0.0, 1.0
        recheck_balance_s = recheck_flight_s = 0.0

        def now(self) -> datetime:
            return clock.now()

        def signed(self, line: str) -> str:
            return line

    start = business_day(clock.now())
    for _ in range(3):
        await consume(books, confirmed("1.00", commission="0.00", at=clock.now()), now=clock.now())
        clock.advance(DAY_S)
    clock.set(day_bounds(business_day(clock.now()))[0] + timedelta(minutes=9))
    await snapshot(Deps())
    assert [row["day"] for row in await query(urls, "SELECT day FROM day_snapshots ORDER BY day")] == [
        start,
        start + timedelta(days=1),
    ]
    clock.advance(120)
    await snapshot(Deps())
    assert len(await query(urls, "SELECT day FROM day_snapshots")) == 3


async def test_assets_are_liabilities_equity_and_result_on_each_day(books: Books, clock: FakeClock) -> None:
    await post_manual(books, *capital(), now=clock.now())
    days = []
    for n in range(4):
        now = clock.now()
        paid = confirmed("50.00", commission="10.00", fee="0.50", at=now)
        held, done = paid_out(paid.driver_id, "35.00", at=now, fee="0.20")
        await consume(books, paid, held, done, refunded(paid, "20.00"), now=now)
        days.append(business_day(now))
        clock.advance(DAY_S)
        if n == 1:
            await take(books, clock.now())
    for n, day in enumerate(days, start=1):
        async with books.reading() as tx:
            sheet = await get_balance_sheet(tx, day=day)
            trial = await get_trial_balance(tx, day=day)
        assert (sheet.difference, trial.difference) == (money(0), money(0))
        assert sheet.result == money("5.30") * n
        assert sheet.assets_total == money("1000.00") + money("-5.70") * n + money("11.00") * n
        assert await balance(books, "1100", end_of(day).at) == money("1000.00") + money("-5.70") * n
