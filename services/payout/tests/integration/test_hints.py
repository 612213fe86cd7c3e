"""A webhook speaks of a send while a worker asks the bank about it: the answer is older than the hint."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from payout_fakes import FakeDeps, payout_at

from payout.adapters.transaction import PayoutTransaction
from payout.domain.payout import Payout
from payout.domain.send import SendReport, SendState, SendUnclear
from payout.domain.step import Status, Step
from payout.effects.poll_sends import poll_sends
from payout.effects.process_payout import process_payout
from payout.usecases.note_send_report import note_send_report
from storage import Database, DatabaseSettings
from testkit import eventually
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock


@dataclass
class Slow:
    """A bank that reads its books, and answers what it read only after the other worker took a hint."""

    other: Database[Any]
    clock: FakeClock
    answers: list[SendReport | SendUnclear | None]
    asked: list[datetime] = field(default_factory=list)

    async def find(self, id_envio: str) -> SendReport | None:
        answer = self.answers.pop(0)
        if not self.asked:
            async with self.other.transaction() as tx:
                assert await note_send_report(tx, id_envio=id_envio, now=self.clock.now())
        self.asked.append(self.clock.now())
        if isinstance(answer, SendUnclear):
            raise answer
        return answer


@pytest.fixture
async def other(urls: DatabaseUrls, clock: FakeClock) -> AsyncIterator[Database[Any]]:
    """The second worker's connections."""
    opened: Database[Any] = Database(
        DatabaseSettings(database_url=urls.app_url), service="payout", make=PayoutTransaction, clock=clock
    )
    yield opened
    await opened.dispose()


def report(payout: Payout, state: SendState) -> SendReport:
    return SendReport(state=state, amount=payout.amount, e2e_id="E1")


async def due_at(urls: DatabaseUrls, payout: Payout) -> datetime | None:
    connection = await asyncpg.connect(urls.app_url)
    try:
        found: datetime | None = await connection.fetchval(
            "SELECT due_at FROM payouts WHERE id = $1", payout.id
        )
        return found
    finally:
        await connection.close()


@pytest.mark.parametrize("first", ["processing", "no answer"])
async def test_a_payout_that_completes_while_the_bank_is_asked_is_looked_at_again_at_once(
    database: Database[Any], other: Database[Any], clock: FakeClock, first: str
) -> None:
    deps = FakeDeps(clock=clock, transaction=database.transaction)
    payout = payout_at(Step.SENT, at=clock.now())
    async with database.transaction() as tx:
        await tx.payouts.add(payout, due_at=clock.now())
    clock.advance(200)
    old = SendUnclear("timeout") if first == "no answer" else report(payout, SendState.PROCESSING)
    bank = Slow(other, clock, [old, report(payout, SendState.DONE)])
    deps.bank = bank  # type: ignore[assignment]

    assert await poll_sends(deps) == 1
    assert await poll_sends(deps) == 1, "the hint is due, not the next question in 200 seconds"

    async with database.transaction() as tx:
        after = await tx.payouts.get(payout.id)
    assert after is not None
    assert after.status is Status.COMPLETED
    assert bank.asked == [clock.now()] * 2
    assert await poll_sends(deps) == 0, "a hint counts once"


async def test_a_hint_about_a_doubtful_send_survives_the_question_too(
    database: Database[Any], other: Database[Any], clock: FakeClock
) -> None:
    deps = FakeDeps(clock=clock, transaction=database.transaction)
    payout = payout_at(Step.UNKNOWN, at=clock.now())
    async with database.transaction() as tx:
        await tx.payouts.add(payout, due_at=clock.now())
        await tx.attempts.start(payout, attempt_id=payout.driver_id, now=clock.now())
    clock.advance(60)
    deps.bank = Slow(  # type: ignore[assignment]
        other, clock, [SendUnclear("timeout"), report(payout, SendState.DONE)]
    )
    # It goes on until nothing is due.
    assert await process_payout(deps) == 2
    async with database.transaction() as tx:
        after = await tx.payouts.get(payout.id)
    assert after is not None
    assert after.status is Status.COMPLETED


async def test_a_hint_takes_no_lease_from_a_send_that_begins_after_it(
    database: Database[Any], other: Database[Any], clock: FakeClock, urls: DatabaseUrls
) -> None:
    """The send's own answer will be newer than the hint; nobody else may take the payout up meanwhile."""
    deps = FakeDeps(clock=clock, transaction=database.transaction)
    payout = payout_at(Step.UNKNOWN, at=clock.now())
    async with database.transaction() as tx:
        await tx.payouts.add(payout, due_at=clock.now())
        await tx.attempts.start(payout, attempt_id=payout.driver_id, now=clock.now())
    clock.advance(deps.policy.resend_after_s + 1)
    leases: list[datetime | None] = []

    class Resent(Slow):
        async def send(self, id_envio: str, **_: Any) -> SendReport:
            leases.append(await due_at(urls, payout))
            return report(payout, SendState.PROCESSING)

    deps.bank = Resent(other, clock, [None])  # type: ignore[assignment]
    assert await process_payout(deps) == 1
    assert leases == [deps.policy.lease(now=clock.now())]
    assert await due_at(urls, payout) == deps.policy.next_poll(since=payout.created_at, now=clock.now())


async def test_what_nobody_hinted_at_waits_as_the_answer_says(
    database: Database[Any], clock: FakeClock, urls: DatabaseUrls
) -> None:
    deps = FakeDeps(clock=clock, transaction=database.transaction)
    payout = payout_at(Step.SENT, at=clock.now())
    async with database.transaction() as tx:
        await tx.payouts.add(payout, due_at=clock.now())
        await note_send_report(tx, id_envio=payout.id.hex, now=clock.now())
    clock.advance(200)
    deps.bank.sends[payout.id.hex] = report(payout, SendState.PROCESSING)
    assert await poll_sends(deps) == 1
    assert await due_at(urls, payout) == deps.policy.next_poll(since=payout.created_at, now=clock.now())


async def test_a_hint_that_waits_for_the_answers_transaction_is_due_after_it(
    database: Database[Any], other: Database[Any], clock: FakeClock, urls: DatabaseUrls
) -> None:
    payout = payout_at(Step.SENT, at=clock.now())
    async with database.transaction() as tx:
        await tx.payouts.add(payout, due_at=clock.now())
    later = clock.now().replace(year=clock.now().year + 1)

    async def hint() -> None:
        async with other.transaction() as tx:
            await note_send_report(tx, id_envio=payout.id.hex, now=clock.now())

    async with database.transaction() as tx:
        await tx.payouts.lock(payout.id)
        hinting = asyncio.create_task(hint())
        await eventually(lambda: waits_for_a_lock(urls))
        await tx.payouts.postpone(payout.id, due_at=later)
    await hinting
    assert await due_at(urls, payout) == clock.now()


async def waits_for_a_lock(urls: DatabaseUrls) -> bool:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        return bool(
            await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )
    finally:
        await connection.close()
