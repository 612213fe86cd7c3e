"""Events from Kafka to the books: batches, duplicates, poison that goes alone."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from ledger_books import (
    Books,
    assert_sound,
    completed,
    confirmed,
    failed,
    mismatch,
    query,
    ready,
    refunded,
    returned,
    trial_balance,
)

from contracts.payment import StatementLine, StatementLineKind
from kernel.ids import new_id
from kernel.money import money
from ledger.main import build
from ledger.settings import Settings
from ledger.usecases.get_driver_balance import get_driver_balance
from messaging import KafkaSettings
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.waiting import eventually


@pytest.fixture
async def running(
    urls: DatabaseUrls, kafka_settings: KafkaSettings, clock: FakeClock
) -> AsyncIterator[FastAPI]:
    settings = Settings(
        database_url=urls.app_url,
        fold_every_s=0.2,
        recheck_every_s=0.2,
        recheck_grace_s=0.0,
        anchor_every_s=0.2,
        **kafka_settings.model_dump(exclude_unset=True),
    )
    app = build(settings, mode="worker", clock=clock)
    async with app.router.lifespan_context(app):
        yield app


async def test_events_of_all_kinds_reach_the_books(
    running: FastAPI, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    """The ledger's own outbox stands in for payment's and payout's: the relay publishes to their topics."""
    now = clock.now()
    paid = [confirmed("10.00", commission="2.00", driver_id=new_id(), at=now) for _ in range(40)]
    driver_id = paid[0].driver_id
    sent, lost, refused = (ready(amount, driver_id=driver_id) for amount in ("3.00", "4.00", "100.00"))
    line = StatementLine(
        day="2026-03-10",
        line_id="unknown",
        kind=StatementLineKind.PIX_RECEIVED,
        amount=money("1.00"),
        e2e_id="E0",
        occurred_at=now,
    )
    async with books.transaction() as tx:
        for fact in [*paid, *paid[:10], mismatch("5.00"), line]:
            await tx.publish(fact)

    async def everything_paid() -> bool:
        return len(await query(urls, "SELECT 1 FROM financial_events")) == 41

    await eventually(everything_paid, 30)
    async with books.transaction() as tx:
        for fact in (sent, lost, refused, completed(sent), failed(lost), returned(sent, "1.00")):
            await tx.publish(fact)
        await tx.publish(refunded(paid[1], "10.00"))

    async def everything_posted() -> bool:
        return len(await query(urls, "SELECT 1 FROM financial_events")) == 48

    await eventually(everything_posted, 30)
    async with books.reading() as tx:
        balance = await get_driver_balance(tx, driver_id=driver_id)
    assert (balance.available, balance.on_hold) == (money("6.00"), money("0.00"))
    assert (await trial_balance(urls))["1100"] == money("393.00")
    await assert_sound(urls)

    async def case_opened() -> bool:
        return len(await query(urls, "SELECT 1 FROM reconciliation_cases")) == 1

    await eventually(case_opened, 15)
    [case] = await query(urls, "SELECT * FROM reconciliation_cases")
    assert (case["kind"], case["reference"]) == ("missing_in_ledger", "E0")
    assert await query(urls, "SELECT * FROM parked_event") == []

    async def jobs_ran() -> bool:
        sealed = await query(urls, "SELECT coalesce(sum(journal_count), 0) AS n FROM ledger_seals")
        [posted] = await query(urls, "SELECT count(*) AS n FROM journals")
        folded = await query(urls, "SELECT 1 FROM running_balance_mark WHERE folded_to::text <> '0'")
        return bool(sealed[0]["n"] == posted["n"] and folded)

    await eventually(jobs_ran, 15)


async def test_poison_goes_alone(
    running: FastAPI, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    good = [confirmed(at=clock.now()) for _ in range(20)]
    poison = refunded(confirmed(), "1.00")
    async with books.transaction() as tx:
        for fact in [*good[:10], poison, *good[10:]]:
            await tx.publish(fact)

    async def good_ones_are_posted() -> bool:
        parked = await query(urls, "SELECT error_class FROM parked_event")
        events = await query(urls, "SELECT 1 FROM financial_events")
        return len(events) == 20 and len(parked) == 1

    await eventually(good_ones_are_posted, 30)
    [parked] = await query(urls, "SELECT * FROM parked_event")
    assert "Contradiction" in parked["error_class"]
    assert parked["key"] == str(poison.ride_id)
    await assert_sound(urls)


async def test_the_worker_becomes_ready(running: FastAPI) -> None:
    async def ready_now() -> bool:
        try:
            await running.state.checks["worker"]()
        except RuntimeError:
            return False
        return True

    await eventually(ready_now, 20)
