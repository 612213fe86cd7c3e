"""The books on a real Postgres against a small model in memory: repeats, any order, crashes at any point."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from ledger_books import (
    Books,
    assert_sound,
    completed,
    confirmed,
    failed,
    open_books,
    query,
    ready,
    refunded,
    returned,
)

from contracts.payment import PaymentConfirmed
from contracts.payout import PayoutReady
from kernel.ids import new_id
from kernel.money import ZERO
from ledger.adapters.transaction import LedgerTransaction
from ledger.usecases.calculate_running_balances import calculate_running_balances
from ledger.usecases.complete_payout import complete_payout
from ledger.usecases.hold_payout import hold_payout
from ledger.usecases.refund_payment import refund_payment
from ledger.usecases.release_payout import release_payout
from ledger.usecases.return_payout import return_payout
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.verify_seals import verify_seals
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock

Deliver = Callable[[LedgerTransaction], Awaitable[None]]
X = TypeVar("X")

CRASHES = ("before posting", "after posting", "while committing")
STEP = Decimal("5.00")


class Crash(Exception):
    """The process dies here: what it has not committed never was."""


@dataclass
class Account:
    """A driver as the model knows them."""

    available: Decimal = ZERO
    on_hold: Decimal = ZERO
    receivable: Decimal = ZERO

    def gain(self, amount: Decimal) -> None:
        netted = min(self.receivable, amount)
        self.receivable -= netted
        self.available += amount - netted

    def give_back(self, amount: Decimal) -> None:
        taken = min(self.available, amount)
        self.available -= taken
        self.receivable += amount - taken


@dataclass
class Paid:
    """A payment, and how much of it may still be refunded."""

    fact: PaymentConfirmed
    left: Decimal


@dataclass
class Model:
    """Everything that was posted, as plain sums."""

    bank: Decimal = ZERO
    commission: Decimal = ZERO
    drivers: dict[UUID, Account] = field(default_factory=dict)


class BooksMachine(RuleBasedStateMachine):
    """Each example has drivers of its own in one database, so that the books are never empty."""

    books: ClassVar[Books]
    urls: ClassVar[DatabaseUrls]
    clock: ClassVar[FakeClock]
    runner: ClassVar[asyncio.Runner]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(drivers={new_id(): Account() for _ in range(3)})
        self.payments: list[Paid] = []
        self.held: list[PayoutReady] = []
        self.sent: list[PayoutReady] = []
        self.delivered: list[Deliver] = []
        self.bank_before = self.run(self._bank())
        self.random = random.Random(0)

    def run(self, work: Coroutine[Any, Any, X]) -> X:
        return self.runner.run(work)

    def teardown(self) -> None:
        assert self.run(self._verdict()) is None

    async def _verdict(self) -> str | None:
        async with self.books.reading() as tx:
            return (await verify_seals(tx)).fault

    async def _bank(self) -> Decimal:
        async with self.books.reading() as tx:
            return await tx.balances.of_account("1100")

    def deliver(self, *events: Deliver) -> None:
        """The events in one transaction, with some that were delivered before among them."""
        repeated = self.random.sample(self.delivered, k=min(2, len(self.delivered)))
        batch = [*events, *repeated, *events[:1]]
        self.run(self._in_one(batch))
        self.delivered += events

    async def _in_one(self, batch: list[Deliver], *, crash: str | None = None) -> None:
        async with self.books.transaction() as tx:
            for event in batch:
                await event(tx)
            if crash == "before posting":
                raise Crash
            if crash is not None:
                await tx.book.post()
            if crash == "while committing":
                await tx.flush()
            if crash is not None:
                raise Crash

    def driver(self, number: int) -> UUID:
        return list(self.model.drivers)[number % len(self.model.drivers)]

    def pay(self, number: int, steps: int) -> Deliver:
        amount, driver_id = steps * STEP, self.driver(number)
        fact = confirmed(str(amount), commission=str(amount / 5), driver_id=driver_id, at=self.clock.now())
        self.payments.append(Paid(fact, left=amount))
        self.model.bank += amount
        self.model.commission += amount / 5
        self.model.drivers[driver_id].gain(amount - amount / 5)
        return lambda tx: settle_payment(tx, paid=fact, now=self.clock.now())

    @rule(
        rides=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 8)), min_size=1, max_size=5),
        seed=st.integers(),
    )
    def rides_are_paid(self, rides: list[tuple[int, int]], seed: int) -> None:
        self.random = random.Random(seed)
        events = [self.pay(number, steps) for number, steps in rides]
        self.random.shuffle(events)
        self.deliver(*events)

    @rule(ride=st.tuples(st.integers(0, 2), st.integers(1, 8)), crash=st.sampled_from(CRASHES))
    def a_crash_comes_first(self, ride: tuple[int, int], crash: str) -> None:
        event = self.pay(*ride)
        try:
            self.run(self._in_one([event, event], crash=crash))
        except Crash:
            pass
        else:
            raise AssertionError("the crash did not happen")
        self.deliver(event)

    @rule(number=st.integers(0, 100), steps=st.integers(1, 8))
    def a_payment_is_refunded(self, number: int, steps: int) -> None:
        open_ones = [paid for paid in self.payments if paid.left > ZERO]
        if not open_ones:
            return
        paid = open_ones[number % len(open_ones)]
        amount = min(steps * STEP, paid.left)
        paid.left -= amount
        fact = refunded(paid.fact, str(amount), total=str(paid.fact.amount - paid.left))
        self.model.bank -= amount
        self.model.commission -= amount / 5
        self.model.drivers[paid.fact.driver_id].give_back(amount - amount / 5)
        self.deliver(lambda tx: refund_payment(tx, refunded=fact, now=self.clock.now()))

    @rule(number=st.integers(0, 2), steps=st.integers(1, 12))
    def a_payout_is_asked_for(self, number: int, steps: int) -> None:
        driver_id, amount = self.driver(number), steps * STEP
        payout, account = ready(str(amount), driver_id=driver_id), self.model.drivers[driver_id]
        if amount <= account.available:
            account.available -= amount
            account.on_hold += amount
            self.held.append(payout)
        self.deliver(lambda tx: hold_payout(tx, ready=payout, now=self.clock.now()))

    @rule(number=st.integers(0, 100), well=st.booleans())
    def a_payout_ends(self, number: int, well: bool) -> None:
        if not self.held:
            return
        payout = self.held.pop(number % len(self.held))
        account = self.model.drivers[payout.driver_id]
        account.on_hold -= payout.amount
        if well:
            self.model.bank -= payout.amount
            self.sent.append(payout)
            done = completed(payout)
            self.deliver(lambda tx: complete_payout(tx, done=done, now=self.clock.now()))
        else:
            account.gain(payout.amount)
            lost = failed(payout)
            self.deliver(lambda tx: release_payout(tx, failed=lost, now=self.clock.now()))

    @rule(number=st.integers(0, 100))
    def a_payout_comes_back(self, number: int) -> None:
        if not self.sent:
            return
        payout = self.sent.pop(number % len(self.sent))
        self.model.bank += payout.amount
        self.model.drivers[payout.driver_id].gain(payout.amount)
        back = returned(payout, str(payout.amount))
        self.deliver(lambda tx: return_payout(tx, returned=back, now=self.clock.now()))

    @rule()
    def balances_are_folded(self) -> None:
        async def fold() -> None:
            async with self.books.transaction() as tx:
                await calculate_running_balances(tx, now=self.clock.now())

        self.run(fold())

    @invariant()
    def the_books_say_what_the_model_says(self) -> None:
        self.run(self._compare())

    async def _compare(self) -> None:
        async with self.books.reading() as tx:
            for driver_id, expected in self.model.drivers.items():
                found = await tx.balances.of_driver(driver_id)
                assert (found.available, found.on_hold, found.receivable) == (
                    expected.available,
                    expected.on_hold,
                    expected.receivable,
                )
            assert await tx.balances.of_account("1100") - self.bank_before == self.model.bank


def test_the_books_agree_with_a_model_whatever_happens(urls: DatabaseUrls, clock: FakeClock) -> None:
    with asyncio.Runner() as runner:
        opened = open_books(urls, clock)
        BooksMachine.books = runner.run(opened.__aenter__())
        BooksMachine.urls, BooksMachine.clock, BooksMachine.runner = urls, clock, runner
        try:
            run_state_machine_as_test(
                BooksMachine,
                settings=settings(
                    max_examples=10,
                    stateful_step_count=20,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    database=None,
                ),
            )
            runner.run(assert_sound(urls))
            assert len(runner.run(query(urls, "SELECT 1 FROM ledger_seals LIMIT 1"))) == 1
        finally:
            runner.run(opened.__aexit__(None, None, None))
