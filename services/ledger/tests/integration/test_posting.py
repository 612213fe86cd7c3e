"""What the open book writes, publishes and keeps, on a real Postgres."""

import asyncio
import random
from decimal import Decimal

import pytest
from ledger_books import (
    Books,
    assert_sound,
    completed,
    confirmed,
    failed,
    mismatch,
    of_type,
    query,
    ready,
    refunded,
    returned,
    trial_balance,
)

from contracts.ledger import (
    LedgerDriverBalanceChanged,
    LedgerPayoutHeld,
    LedgerPayoutRefused,
    LedgerPosted,
    LedgerReversed,
)
from contracts.payment import MismatchKind
from kernel.ids import new_id
from ledger.domain.instruction import Contradiction, DuplicateDiffers
from ledger.usecases.complete_payout import complete_payout
from ledger.usecases.get_account_balance import get_account_balance
from ledger.usecases.get_driver_balance import get_driver_balance
from ledger.usecases.hold_payout import hold_payout
from ledger.usecases.refund_payment import refund_payment
from ledger.usecases.release_payout import release_payout
from ledger.usecases.return_payout import return_payout
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.suspend_pix import suspend_pix
from storage import Cause, Transaction
from telemetry.tracing import record_spans, span
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.outbox import published, rows


async def test_a_confirmed_payment_posts_its_journals_and_the_drivers_part(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    paid = confirmed("50.01", commission="10.00", fee="0.60")

    async with books.transaction() as tx:
        await settle_payment(tx, paid=paid, now=clock.now())

    assert await trial_balance(urls) == {
        "1100": Decimal("49.41"),
        "1300": Decimal("0.00"),
        "2100": Decimal("40.01"),
        "4100": Decimal("0.00"),
        "4200": Decimal("10.00"),
        "5100": Decimal("0.60"),
    }
    await assert_sound(urls)
    facts = await published(urls)
    assert [(fact.transaction_id, len(fact.lines)) for fact in of_type(facts, LedgerPosted)] == [
        (f"payment_{paid.payment_id}", 7),
        (f"fee_{paid.payment_id}", 2),
    ]
    [(change, key, version)] = [row for row in facts if isinstance(row[0], LedgerDriverBalanceChanged)]
    assert isinstance(change, LedgerDriverBalanceChanged)
    assert (change.available, change.version, key, version) == (Decimal("40.01"), 1, str(paid.driver_id), 1)
    [event] = await query(urls, "SELECT * FROM financial_events")
    assert (event["external_id"], event["payment_intent_id"], event["ride_id"]) == (
        paid.e2e_id,
        paid.payment_id,
        paid.ride_id,
    )


async def test_a_payout_is_held_completed_and_returned_in_part(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    paid = confirmed("100.00", commission="20.00")
    payout = ready("50.00", driver_id=paid.driver_id)
    now = clock.now()

    async with books.transaction() as tx:
        await settle_payment(tx, paid=paid, now=now)
        await hold_payout(tx, ready=payout, now=now)
    async with books.transaction() as tx:
        await complete_payout(tx, done=completed(payout, fee="0.10"), now=now)
    async with books.transaction() as tx:
        await return_payout(tx, returned=returned(payout, "20.00"), now=now)
        await return_payout(tx, returned=returned(payout, "30.00", total="50.00"), now=now)

    async with books.reading() as tx:
        balance = await get_driver_balance(tx, driver_id=paid.driver_id)
        bank = await get_account_balance(tx, code="1100")
    assert (balance.available, balance.on_hold, balance.total) == (
        Decimal("80.00"),
        Decimal("0.00"),
        Decimal("80.00"),
    )
    assert bank == Decimal("99.90")
    await assert_sound(urls)
    with pytest.raises(Contradiction):
        async with books.transaction() as tx:
            await return_payout(tx, returned=returned(payout, "0.01"), now=now)


async def test_a_failed_payout_is_reversed_by_new_entries(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    paid = confirmed("100.00", commission="20.00")
    payout = ready("80.00", driver_id=paid.driver_id)
    now = clock.now()

    async with books.transaction() as tx:
        await settle_payment(tx, paid=paid, now=now)
        await hold_payout(tx, ready=payout, now=now)
        await release_payout(tx, failed=failed(payout), now=now)

    entries = await query(
        urls,
        "SELECT * FROM ledger_entries WHERE entity_type = 'PAYOUT' ORDER BY id",
    )
    held, undone = entries[:2], entries[2:]
    assert [row["reversed"] for row in entries] == [False, False, True, True]
    assert [row["reversal_entry_id"] for row in undone] == [row["id"] for row in held]
    [view] = await query(urls, "SELECT * FROM reversed_transactions")
    assert (view["transaction_id"], view["in_full"]) == (f"payout_{payout.payout_id}", True)
    [reversed_] = of_type(await published(urls), LedgerReversed)
    assert reversed_.reversed_transaction_id == f"payout_{payout.payout_id}"
    assert reversed_.reason == "rejected_by_bank"
    async with books.reading() as tx:
        assert (await get_driver_balance(tx, driver_id=paid.driver_id)).available == Decimal("80.00")
    await assert_sound(urls)


async def test_a_payout_beyond_the_balance_is_refused_and_posts_nothing(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    payout = ready("0.01", driver_id=new_id())

    async with books.transaction() as tx:
        await hold_payout(tx, ready=payout, now=clock.now())

    [refusal] = of_type(await published(urls), LedgerPayoutRefused)
    assert (refusal.reason, refusal.available) == ("insufficient_balance", Decimal("0.00"))
    assert await query(urls, "SELECT * FROM journals") == []
    async with books.transaction() as tx:
        await release_payout(tx, failed=failed(payout, held=False), now=clock.now())
    assert await query(urls, "SELECT * FROM journals") == []


async def test_a_refund_takes_what_the_driver_has_and_the_rest_from_the_next_earnings(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    paid = confirmed("100.00", commission="20.00")
    payout = ready("70.00", driver_id=paid.driver_id)
    now = clock.now()

    async with books.transaction() as tx:
        await settle_payment(tx, paid=paid, now=now)
        await hold_payout(tx, ready=payout, now=now)
        await refund_payment(tx, refunded=refunded(paid, "100.00"), now=now)

    async with books.reading() as tx:
        balance = await get_driver_balance(tx, driver_id=paid.driver_id)
    assert (balance.available, balance.on_hold, balance.receivable) == (
        Decimal("0.00"),
        Decimal("70.00"),
        Decimal("70.00"),
    )
    async with books.transaction() as tx:
        await settle_payment(
            tx, paid=confirmed("100.00", commission="20.00", driver_id=paid.driver_id), now=now
        )
    async with books.reading() as tx:
        balance = await get_driver_balance(tx, driver_id=paid.driver_id)
    assert (balance.available, balance.receivable) == (Decimal("10.00"), Decimal("0.00"))
    await assert_sound(urls)


async def test_a_pix_that_fits_no_charge_is_kept_for_its_owner(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    passenger_id = new_id()

    async with books.transaction() as tx:
        await suspend_pix(tx, found=mismatch("5.00"), now=clock.now())
        await suspend_pix(
            tx,
            found=mismatch("7.00", passenger_id=passenger_id, kind=MismatchKind.SURPLUS),
            now=clock.now(),
        )

    assert await trial_balance(urls) == {
        "1100": Decimal("12.00"),
        "2200": Decimal("7.00"),
        "2900": Decimal("5.00"),
    }
    await assert_sound(urls)


async def test_duplicates_count_once_also_within_one_batch(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    paid, other = confirmed(), confirmed()

    async with books.transaction() as tx:
        for fact in (paid, other, paid, paid):
            await settle_payment(tx, paid=fact, now=clock.now())
    async with books.transaction() as tx:
        await settle_payment(tx, paid=paid, now=clock.now())

    assert (await trial_balance(urls))["1100"] == Decimal("100.00")
    assert len(await published(urls, of=LedgerPosted)) == 2


async def test_fifty_parallel_deliveries_of_one_event_post_it_once(
    urls: DatabaseUrls, books: Books, clock: FakeClock
) -> None:
    paid = confirmed()

    async def deliver() -> None:
        async with books.transaction() as tx:
            await settle_payment(tx, paid=paid, now=clock.now())

    await asyncio.gather(*(deliver() for _ in range(50)))

    assert (await trial_balance(urls))["1100"] == Decimal("50.00")
    assert len(await published(urls, of=LedgerPosted)) == 1


async def test_the_same_external_id_with_another_amount_is_refused(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    paid = confirmed("50.00")
    async with books.transaction() as tx:
        await settle_payment(tx, paid=paid, now=clock.now())

    with pytest.raises(DuplicateDiffers):
        async with books.transaction() as tx:
            await settle_payment(tx, paid=confirmed("60.00", e2e_id=paid.e2e_id), now=clock.now())

    assert (await trial_balance(urls))["1100"] == Decimal("50.00")


async def test_concurrent_holds_never_exceed_the_balance(
    urls: DatabaseUrls, books: Books, clock: FakeClock
) -> None:
    paid = confirmed("125.00", commission="25.00")
    async with books.transaction() as tx:
        await settle_payment(tx, paid=paid, now=clock.now())

    async def hold(_: int) -> None:
        async with books.transaction() as tx:
            await hold_payout(tx, ready=ready("30.00", driver_id=paid.driver_id), now=clock.now())

    await asyncio.gather(*(hold(n) for n in range(50)))

    facts = await published(urls)
    assert len(of_type(facts, LedgerPayoutHeld)) == 3
    assert len(of_type(facts, LedgerPayoutRefused)) == 47
    versions = [fact.version for fact in of_type(facts, LedgerDriverBalanceChanged)]
    assert versions == sorted(set(versions))
    async with books.reading() as tx:
        balance = await get_driver_balance(tx, driver_id=paid.driver_id)
    assert (balance.available, balance.on_hold) == (Decimal("10.00"), Decimal("90.00"))
    await assert_sound(urls)


async def test_a_hold_names_the_balance_version_that_it_is_part_of(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    paid = confirmed()
    async with books.transaction() as tx:
        await settle_payment(tx, paid=paid, now=clock.now())
    async with books.transaction() as tx:
        await hold_payout(tx, ready=ready("1.00", driver_id=paid.driver_id), now=clock.now())

    facts = await published(urls)
    assert of_type(facts, LedgerPayoutHeld)[0].balance_version == 2
    assert of_type(facts, LedgerDriverBalanceChanged)[-1].version == 2


async def test_facts_name_the_event_that_caused_them(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    causes = [Cause(event_id=new_id(), correlation_id=new_id()) for _ in range(2)]
    async with books.transaction() as tx:
        assert isinstance(tx, Transaction)
        for cause in causes:
            with tx.caused_by(cause):
                await settle_payment(tx, paid=confirmed(), now=clock.now())

    named = [row["headers"] for row in await rows(urls) if "ledger.posted" in row["event_type"]]
    assert [[str(cause.event_id) in headers for headers in named] for cause in causes] == [
        [True, False],
        [False, True],
    ]


async def test_batches_that_share_drivers_wait_for_each_other_and_never_deadlock(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    drivers = [new_id() for _ in range(6)]
    shared = [confirmed("10.00", commission="0.00", driver_id=driver_id) for driver_id in drivers]

    async def post(seed: int) -> None:
        order = random.Random(seed)
        for _ in range(5):
            facts = [confirmed("10.00", commission="0.00", driver_id=order.choice(drivers)) for _ in range(6)]
            batch = [*facts, *order.sample(shared, 3)]
            order.shuffle(batch)
            async with books.transaction() as tx:
                for fact in batch:
                    await settle_payment(tx, paid=fact, now=clock.now())
                    await suspend_pix(tx, found=mismatch(passenger_id=fact.driver_id), now=clock.now())
                await hold_payout(tx, ready=ready("15.00", driver_id=order.choice(drivers)), now=clock.now())

    await asyncio.gather(*(post(seed) for seed in range(8)))

    posted = {row["external_id"] for row in await query(urls, "SELECT external_id FROM financial_events")}
    paid = 8 * 5 * 6 + sum(fact.e2e_id in posted for fact in shared)
    async with books.reading() as tx:
        totals = [(await get_driver_balance(tx, driver_id=driver_id)).total for driver_id in drivers]
    assert sum(totals) == paid * 10
    await assert_sound(urls)


async def test_what_is_posted_belongs_to_the_trace_that_ordered_it(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    record_spans()
    traces = []
    async with books.transaction() as tx:
        for _ in range(2):
            with span("handle") as ordered:
                traces.append(f"{ordered.get_span_context().trace_id:032x}")
                await settle_payment(tx, paid=confirmed(), now=clock.now())

    named = [row["headers"] for row in await rows(urls) if "ledger.posted" in row["event_type"]]
    assert [traces[0] in headers for headers in named] == [True, False]
    assert [traces[1] in headers for headers in named] == [False, True]
