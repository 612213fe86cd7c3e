"""Recording reads a debt without its lock: what changes it meanwhile is seen before anything is committed."""

import asyncio

import pytest
from ledger_books import Books, assert_sound, confirmed, query, refunded
from ledger_office import consume, paid_out

from ledger.domain.driver_balance import BalanceMoved
from ledger.usecases.refund_payment import refund_payment
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.waiting import eventually

WAITING = """
SELECT count(*) AS n FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""


async def test_a_debt_that_arises_while_a_ride_is_recorded_is_netted_all_the_same(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    spent = confirmed("50.00", commission="10.00", at=now)
    await consume(books, spent, *paid_out(spent.driver_id, "40.00", at=now), now=now)
    ride = confirmed("30.00", commission="5.00", driver_id=spent.driver_id, at=now)

    async def waits() -> bool:
        [row] = await query(urls, WAITING)
        return bool(row["n"])

    async with books.transaction() as tx:
        await refund_payment(tx, refunded=refunded(spent, "50.00"), now=now)
        await tx.book.post()
        recording = asyncio.create_task(consume(books, ride, now=now))
        await eventually(waits, 30)
    with pytest.raises(BalanceMoved):
        await recording
    async with books.reading() as tx:
        owing = await tx.balances.of_driver(spent.driver_id)
        assert await tx.journals.by_transaction(f"payment_{ride.payment_id}") is None, (
            "nothing of it is posted"
        )
    assert (str(owing.available), str(owing.receivable)) == ("0.00", "40.00")

    await consume(books, ride, now=now)
    async with books.reading() as tx:
        netted = await tx.balances.of_driver(spent.driver_id)
    assert (str(netted.available), str(netted.receivable)) == ("0.00", "15.00")
    await assert_sound(urls)
