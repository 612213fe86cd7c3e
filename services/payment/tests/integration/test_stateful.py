"""Payment against a bank with its own books: whatever comes twice, late, in another order or dies half-way,
in the end each centavo that the bank received is told once, and each that it gave back too.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from payment_bank import BankWithBooks
from payment_fakes import a_pix, an_event, completed_ride

from contracts.payment import (
    MismatchKind,
    PaymentConfirmed,
    PaymentCreditRefunded,
    PaymentMismatchFound,
    PaymentRefunded,
)
from kernel.actor import Actor
from kernel.business_day import business_day
from kernel.ids import new_id
from kernel.refusals import Refusal
from payment.domain.booked import FOR_THE_FARE
from payment.domain.devolution import RefundState
from payment.domain.provider import ProviderRefused
from payment.domain.webhook import EventType
from payment.effects.expire_pix_charges import expire_pix_charges
from payment.effects.process_webhooks import process_webhooks
from payment.effects.publish_day_statement import publish_day_statement
from payment.effects.reconcile_pix_charges import reconcile_pix_charges
from payment.effects.submit_charges import submit_charges
from payment.effects.submit_refunds import submit_refunds
from payment.main import build
from payment.settings import Settings
from payment.usecases.follow_ride import follow_ride
from payment.usecases.open_intent import open_intent
from payment.usecases.request_credit_refund import request_credit_refund
from payment.usecases.request_refund import request_refund
from testkit import DatabaseUrls, FakeClock, Tokens, published

ADMIN = Actor(user_id=new_id(), user_type="admin")
ZERO = Decimal("0.00")
AMOUNTS = st.sampled_from(["50.00", "50.00", "50.00", "49.99", "60.00"])
PARTS = st.sampled_from(["0.01", "10.00", "49.99", "50.00"])
TABLES = (
    "rides, payment_intents, pix_charges, received_pix, refunds, webhook_events, webhook_deliveries, sweeps,"
    " statements"
)


class Died(Exception):  # not an error of ours: the process is gone
    """The process ended here."""


class Mortal:
    """Deps whose process dies at one of its next commits, just before it or just after."""

    def __init__(self, deps: Any) -> None:
        self._deps = deps
        self.dies_in: int | None = None
        self.after_commit = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._deps, name)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        dies = self.dies_in == 0
        if self.dies_in is not None:
            self.dies_in = None if dies else self.dies_in - 1
        async with self._deps.transaction() as tx:
            yield tx
            if dies and not self.after_commit:
                raise Died
        if dies:
            raise Died


class World:
    """One payment service on one database, for all examples of a run."""

    def __init__(self, own: Settings, urls: DatabaseUrls, tokens: Tokens) -> None:
        self.runner = asyncio.Runner()
        self.urls = urls
        self.clock = FakeClock()
        self.bank = BankWithBooks()
        self.app = build(own, mode="api", verifier=tokens.verifier(), provider=self.bank, clock=self.clock)
        self.deps = Mortal(self.app.state.deps)

    def run(self, work: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await work

        return self.runner.run(awaited())

    def begin(self) -> None:
        """Everything empty: an example that failed may have left something."""
        self.bank.__init__()  # type: ignore[misc]
        self.deps.dies_in = None
        self.run(self._empty())

    async def _empty(self) -> None:
        connection = await asyncpg.connect(self.urls.admin_url)
        try:
            await connection.execute(f"TRUNCATE {TABLES}, rejected_claims, outbox CASCADE")
        finally:
            await connection.close()

    def close(self) -> None:
        self.run(self._closed())
        self.runner.close()

    async def _closed(self) -> None:
        for closing in self.app.state.background:
            await closing.stop()


class PaymentMachine(RuleBasedStateMachine):
    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.world.begin()
        self.bank, self.deps = self.world.bank, self.world.deps
        self.fares: dict[UUID, UUID] = {}

    def live(self, work: Awaitable[Any]) -> Any:
        """Whatever dies or is refused here: the next process goes on with what was committed."""
        with suppress(Died, Refusal):
            return self.world.run(work)

    @rule()
    def a_ride_is_completed(self) -> None:
        self.live(self._open(completed_ride()))
        self.live(submit_charges(self.deps))

    async def _open(self, ride: Any) -> None:
        async with self.deps.transaction() as tx:
            await follow_ride(tx, ride=ride)
            await self._intent(tx, ride.id)

    async def _intent(self, tx: Any, ride_id: UUID) -> None:
        intent, _, _ = await open_intent(tx, ride_id=ride_id, now=self.deps.now(), ttl_s=900.0)
        self.fares[intent.id] = ride_id

    @precondition(lambda self: self.fares)
    @rule(data=st.data())
    def its_passenger_asks_for_a_code_again(self, data: st.DataObject) -> None:
        ride_id = data.draw(st.sampled_from(list(self.fares.values())))
        self.live(self._again(ride_id))

    async def _again(self, ride_id: UUID) -> None:
        async with self.deps.transaction() as tx:
            await self._intent(tx, ride_id)

    @rule(data=st.data(), amount=AMOUNTS, told=st.integers(0, 3), lie=st.booleans())
    def somebody_pays(self, data: st.DataObject, amount: str, told: int, lie: bool) -> None:
        txid = data.draw(st.sampled_from([None, *self.bank.states]))
        pix = replace(a_pix(txid=txid, amount=amount), paid_at=self.deps.now())
        self.bank.pay(pix)
        self.live(self._tell(pix.e2e_id, EventType.RECEIVED, times=told, txid=txid, lie=lie))

    async def _tell(
        self, e2e_id: str, kind: EventType, *, times: int, txid: str | None = None, lie: bool = False
    ) -> None:
        amount = "500.00" if lie else None
        now = self.deps.now()
        events = [an_event(event_type=kind, e2e_id=e2e_id, txid=txid, amount=amount) for _ in range(times)]
        if events:
            async with self.deps.transaction() as tx:
                await tx.webhooks.add([replace(event, received_at=now) for event in events])

    @precondition(lambda self: self.bank.received)
    @rule(data=st.data(), amount=PARTS, told=st.booleans())
    def somebody_gives_back_in_the_banks_app(self, data: st.DataObject, amount: str, told: bool) -> None:
        e2e_id = data.draw(st.sampled_from(list(self.bank.received)))
        with suppress(ProviderRefused):
            self.bank.give_back(e2e_id, efi_id=f"app{new_id().hex[:12]}", amount=Decimal(amount))
            self.live(self._tell(e2e_id, EventType.REFUND, times=told))

    @precondition(lambda self: self.fares)
    @rule(data=st.data(), amount=PARTS)
    def an_admin_refunds_a_fare(self, data: st.DataObject, amount: str) -> None:
        self.live(self._refund(data.draw(st.sampled_from(list(self.fares))), Decimal(amount)))

    async def _refund(self, payment_id: UUID, amount: Decimal) -> None:
        async with self.deps.transaction() as tx:
            await request_refund(
                tx, payment_id=payment_id, amount=amount, reason="x", actor=ADMIN, now=self.deps.now()
            )

    @precondition(lambda self: self.bank.received)
    @rule(data=st.data(), amount=PARTS)
    def an_admin_gives_held_money_back(self, data: st.DataObject, amount: str) -> None:
        self.live(self._give_back(data.draw(st.sampled_from(list(self.bank.received))), Decimal(amount)))

    async def _give_back(self, e2e_id: str, amount: Decimal) -> None:
        async with self.deps.transaction() as tx:
            await request_credit_refund(
                tx, e2e_id=e2e_id, amount=amount, reason="x", actor=ADMIN, now=self.deps.now()
            )

    @rule(done=st.booleans())
    def the_bank_decides(self, done: bool) -> None:
        self.bank.decide(done=done)

    @rule(answers=st.integers(1, 2))
    def the_bank_loses_answers(self, answers: int) -> None:
        self.bank.answers_to_lose = answers

    @rule(commits=st.integers(0, 4), after=st.booleans())
    def the_process_will_die(self, commits: int, after: bool) -> None:
        self.deps.dies_in, self.deps.after_commit = commits, after

    @rule(
        job=st.sampled_from(
            [submit_charges, process_webhooks, submit_refunds, reconcile_pix_charges, expire_pix_charges]
        ),
        later_s=st.sampled_from([1, 61, 700, 901]),
    )
    def a_job_runs(self, job: Any, later_s: int) -> None:
        self.world.clock.advance(later_s)
        self.live(job(self.deps))

    def teardown(self) -> None:
        """All comes to rest, and then the books agree."""
        self.deps.dies_in, self.bank.answers_to_lose = None, 0
        jobs = (submit_charges, process_webhooks, submit_refunds, reconcile_pix_charges, expire_pix_charges)
        for _ in range(4):
            self.bank.decide(done=True)
            self.world.clock.advance(1000)
            for job in jobs:
                self.world.run(job(self.deps))
            # What went back in the bank's app and nobody told is on the day's statement at the latest.
            for day in {business_day(pix.paid_at) for pix in self.bank.received.values()}:
                self.world.run(publish_day_statement(self.deps, day=day))
        self.world.run(self._books_agree())

    async def _books_agree(self) -> None:
        facts = [fact for fact, _, _ in await published(self.world.urls)]
        confirmed = [fact for fact in facts if isinstance(fact, PaymentConfirmed)]
        held = [fact for fact in facts if isinstance(fact, PaymentMismatchFound)]
        credited = [fact for fact in facts if isinstance(fact, PaymentCreditRefunded)]
        refunded = [fact for fact in facts if isinstance(fact, PaymentRefunded)]
        told = _sums([(f.e2e_id, f.amount) for f in (*confirmed, *held)])
        assert told == {e2e_id: pix.amount for e2e_id, pix in self.bank.received.items()}, "all, once"
        assert len({fact.ride_id for fact in confirmed}) == len(confirmed), "a ride is paid once"
        assert len({fact.external_id for fact in held}) == len(held)
        back = _sums([(f.e2e_id, f.amount) for f in (*credited, *refunded)])
        given = {e2e_id: self.bank.given(e2e_id) for e2e_id in self.bank.received}
        assert back == {e2e_id: amount for e2e_id, amount in given.items() if amount}, "what went back, once"
        self._second_payments_went_back(held, paid={fact.ride_id for fact in confirmed})
        async with self.deps.transaction() as tx:
            later = self.deps.now()
            assert await tx.refunds.claim_open(now=later, until=later, limit=1) == [], "nothing is left open"
            assert await tx.webhooks.claim(now=later, until=later, limit=1) == []

    def _second_payments_went_back(self, held: list[PaymentMismatchFound], *, paid: set[UUID]) -> None:
        """Wholly, unless the bank refused a refund of it once, or a person had begun to give it back."""
        for fact in held:
            made = self.bank.devolutions.get(fact.e2e_id, {}).values()
            undisturbed = len(made) == 1 and all(d.answer.state is RefundState.DONE for d in made)
            if fact.kind in FOR_THE_FARE and fact.ride_id in paid:
                assert made, "somebody asked for it"
                assert fact.kind is not MismatchKind.SURPLUS
                if undisturbed and next(iter(made)).amount == fact.amount:
                    assert self.bank.given(fact.e2e_id) == fact.amount


def _sums(amounts: list[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for name, amount in amounts:
        sums[name] += amount
    return dict(sums)


def test_whatever_happens_in_whatever_order_the_books_agree_with_the_banks(
    payment_settings: tuple[Settings, DatabaseUrls], tokens: Tokens
) -> None:
    own, urls = payment_settings
    world = World(own, urls, tokens)
    PaymentMachine.world = world
    try:
        run_state_machine_as_test(
            PaymentMachine,
            settings=settings(
                max_examples=12,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        world.close()
