"""The bank's balance of a busy night: what was only under way rings no bell, what is really gone does."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from ledger_books import Books, confirmed, query
from ledger_office import admin, closed, consume, paid_out, received_line, sent_line

from contracts.payment import PaymentConfirmed, StatementLine
from kernel.business_day import business_day, day_bounds
from kernel.ids import new_id
from ledger.domain.cases import Resolution
from ledger.usecases.get_reconciliation_day import get_reconciliation_day
from ledger.usecases.recheck_statements import recheck_statements
from ledger.usecases.resolve_case import resolve_case
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock

GRACE_S, BALANCE_S, FLIGHT_S = 900.0, 3600.0, 300.0


async def recheck(books: Books, now: datetime) -> int:
    async with books.transaction() as tx:
        return await recheck_statements(
            tx, grace_s=GRACE_S, balance_s=BALANCE_S, flight_s=FLIGHT_S, new_id=new_id, now=now
        )


async def kinds(urls: DatabaseUrls) -> list[str]:
    return [row["kind"] for row in await query(urls, "SELECT kind FROM reconciliation_cases ORDER BY kind")]


def end_of(now: datetime) -> datetime:
    """When the statement of this day is taken."""
    return day_bounds(business_day(now))[1] + timedelta(minutes=30)


async def state_night(books: Books, clock: FakeClock, *lines: StatementLine, balance: str) -> None:
    """The clock moves to the statement of the day it is in, which arrives."""
    at = end_of(clock.now())
    day = business_day(clock.now()).isoformat()
    told = closed(lines, day=day, at=at, balance=balance)
    clock.set(at)
    await consume(books, *lines, told, now=at)


@pytest.fixture
async def quiet(books: Books, clock: FakeClock) -> PaymentConfirmed:
    """A night without anything under way: the account holds 1000.00 beyond the books, and 50.00 are booked."""
    paid = confirmed("50.00", commission="10.00", at=clock.now())
    day = business_day(clock.now()).isoformat()
    await consume(books, paid, now=clock.now())
    await state_night(books, clock, received_line(paid, day=day), balance="1050.00")
    clock.advance(BALANCE_S)
    assert await recheck(books, clock.now()) == 0
    return paid


async def test_a_payout_that_the_bank_debits_before_and_we_book_after_the_balance_rings_no_bell(
    books: Books, urls: DatabaseUrls, clock: FakeClock, quiet: PaymentConfirmed
) -> None:
    clock.advance(60)
    at = end_of(clock.now())
    ready, done = paid_out(quiet.driver_id, "20.00", at=at - timedelta(minutes=1))
    done = done.model_copy(update={"completed_at": at + timedelta(minutes=2)})
    await consume(books, ready, now=clock.now())
    # The bank counted it, and a receipt of that minute which nobody has told us of.
    paid = confirmed("30.00", at=at - timedelta(seconds=20))
    await state_night(books, clock, received_line(paid, day=business_day(at).isoformat()), balance="1060.00")

    clock.advance(GRACE_S)
    await recheck(books, clock.now())
    await consume(books, done, paid, now=clock.now())
    clock.advance(BALANCE_S - GRACE_S)
    await recheck(books, clock.now())
    assert "balance_differs" not in await kinds(urls)


async def test_a_fact_that_comes_later_than_the_lines_grace_rings_no_bell_for_the_balance(
    books: Books, urls: DatabaseUrls, clock: FakeClock, quiet: PaymentConfirmed
) -> None:
    clock.advance(60)
    late = confirmed("30.00", at=clock.now())
    line = received_line(late, day=business_day(clock.now()).isoformat())
    await state_night(books, clock, line, balance="1080.00")
    clock.advance(GRACE_S)
    assert await recheck(books, clock.now()) == 1, "the line is lonely by now"
    clock.advance(GRACE_S)
    await consume(books, late, now=clock.now())
    clock.advance(BALANCE_S)
    assert await recheck(books, clock.now()) == 0
    assert await kinds(urls) == ["missing_in_ledger"]


async def test_money_that_is_really_gone_rings_once_an_hour_later(
    books: Books, urls: DatabaseUrls, clock: FakeClock, quiet: PaymentConfirmed
) -> None:
    clock.advance(60)
    await state_night(books, clock, balance="1049.99")
    clock.advance(GRACE_S)
    assert await recheck(books, clock.now()) == 0, "not before what was under way had its time"
    clock.advance(BALANCE_S - GRACE_S)
    assert await recheck(books, clock.now()) == 1
    assert await recheck(books, clock.now()) == 0
    [case] = await query(urls, "SELECT kind, detail FROM reconciliation_cases")
    assert case["kind"] == "balance_differs"
    assert "999.99 apart; before it was 1000.00" in case["detail"]
    clock.advance(60)
    async with books.reading() as tx:
        found = await get_reconciliation_day(tx, day=business_day(clock.now()) - timedelta(days=1))
    assert found.gap == Decimal("999.99")
    # The open case tells of it: the same gap of the next night is no news.
    await state_night(books, clock, balance="1049.99")
    clock.advance(BALANCE_S)
    assert await recheck(books, clock.now()) == 0


@pytest.mark.parametrize(
    ("resolution", "news"), [("corrected_by_journal", 1), ("explained", 0), ("written_off", 0)]
)
async def test_what_is_known_after_a_case_is_what_somebody_said_of_it(
    books: Books, urls: DatabaseUrls, clock: FakeClock, quiet: PaymentConfirmed, resolution: str, news: int
) -> None:
    clock.advance(60)
    await state_night(books, clock, balance="950.00")
    clock.advance(BALANCE_S)
    assert await recheck(books, clock.now()) == 1
    journal = f"payment_{quiet.payment_id}" if resolution == "corrected_by_journal" else None
    [case] = await query(urls, "SELECT id FROM reconciliation_cases")
    async with books.transaction() as tx:
        await resolve_case(
            tx,
            case_id=case["id"],
            resolution=Resolution(resolution),
            note="looked",
            journal=journal,
            actor=admin(),
            now=clock.now(),
        )
    clock.advance(60)
    await state_night(books, clock, balance="950.00")
    clock.advance(BALANCE_S)
    assert await recheck(books, clock.now()) == news, "the gap of the corrected night is a new loss"


async def test_a_drift_behind_a_busy_night_rings_after_the_next_quiet_one(
    books: Books, urls: DatabaseUrls, clock: FakeClock, quiet: PaymentConfirmed
) -> None:
    clock.advance(60)
    at = end_of(clock.now())
    ready, done = paid_out(quiet.driver_id, "20.00", at=at - timedelta(minutes=1))
    done = done.model_copy(update={"completed_at": at + timedelta(minutes=1)})
    await consume(books, ready, now=clock.now())
    # 5.00 vanished; it could be that they are a quarter of the payout that is just going out.
    await state_night(books, clock, balance="1045.00")
    clock.advance(60)
    await consume(books, done, now=clock.now())
    clock.advance(BALANCE_S)
    assert await recheck(books, clock.now()) == 0
    line = sent_line(done, day=business_day(clock.now()).isoformat())
    await state_night(books, clock, line, balance="1025.00")
    clock.advance(BALANCE_S)
    assert await recheck(books, clock.now()) == 1
    assert await kinds(urls) == ["balance_differs"]
