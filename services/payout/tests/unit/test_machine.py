"""Whatever happens in whatever order: one send a payout, never more than held, no failure with money gone."""

import contextlib
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from payout_world import LONGEST_SILENCE_S, MODES, World

from contracts.identity import UserStatus
from contracts.payout import PayoutCompleted, PayoutContradicted, PayoutFailed, PayoutReturned
from kernel.actor import Actor
from kernel.ids import new_id
from kernel.money import ZERO
from kernel.refusals import Refusal
from payout.domain.send import SendState
from payout.domain.step import Status, Step
from payout.effects.poll_sends import poll_sends
from payout.effects.process_payout import process_payout
from payout.effects.take_bank_snapshot import take_bank_snapshot
from payout.usecases.note_send_report import note_send_report
from payout.usecases.request_payout import request_payout

JOBS = (take_bank_snapshot, process_payout, poll_sends)
EARNED = Decimal("300.00")
DRIVERS = 2
amounts = st.sampled_from(["1.00", "4.00", "33.33", "60.00"]).map(Decimal)
crash_points = st.sampled_from([None, None, None, None, 0, 1, 2, 3, 5])
moods = st.sampled_from(MODES)
standings = st.sampled_from([UserStatus.ACTIVE] * 3 + [UserStatus.SUSPENDED, UserStatus.BANNED])
silences = st.sampled_from([0, 0, 1, LONGEST_SILENCE_S])
few = st.integers(min_value=1, max_value=6)


class PayoutMachine(RuleBasedStateMachine):
    """Payout's own jobs and verbs against a model of bank and ledger."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.drivers = [new_id() for _ in range(DRIVERS)]
        self.versions = dict.fromkeys(self.drivers, 1)
        for driver_id in self.drivers:
            self.world.hire(driver_id, EARNED)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.drain()
            finally:
                self.world.close()

    @rule(driver=st.integers(0, DRIVERS - 1), amount=amounts, crash_at=crash_points)
    def ask(self, driver: int, amount: Decimal, crash_at: int | None) -> None:
        driver_id = self.drivers[driver]

        async def work() -> None:
            async with self.world.deps.transaction() as tx:
                await request_payout(
                    tx,
                    payout_id=new_id(),
                    driver_id=driver_id,
                    amount=amount,
                    policy=self.world.deps.policy,
                    actor=Actor(user_id=driver_id, user_type="driver"),
                    now=self.world.deps.now(),
                )

        with contextlib.suppress(Refusal):
            self.world.run(work(), crash_at=crash_at)

    @rule(job=st.sampled_from(JOBS), crash_at=crash_points)
    def work(self, job, crash_at: int | None) -> None:  # type: ignore[no-untyped-def]
        self.world.run(job(self.world.deps), crash_at=crash_at)

    @rule(count=few, again=st.integers(0, 8))
    def the_ledger_hears(self, count: int, again: int) -> None:
        self.world.tell_ledger(count, again=again)

    @rule(count=few, again=st.integers(0, 8), crash_at=crash_points)
    def payout_hears(self, count: int, again: int, crash_at: int | None) -> None:
        self.world.tell_payout(count, again=again, crash_at=crash_at)

    @rule(driver=st.integers(0, DRIVERS - 1), amount=amounts)
    def a_payout_comes_to_be_held(self, driver: int, amount: Decimal) -> None:
        """The usual way, so that what follows it is tried often."""
        self.ask(driver=driver, amount=amount, crash_at=None)
        self.world.run(take_bank_snapshot(self.world.deps))
        self.world.tell_ledger(100)
        self.world.tell_payout(100)

    @rule(mode=moods, silence_s=silences, seconds=st.sampled_from([0, 2, 61, 125]), crash_at=crash_points)
    def sends_go_out(self, mode: str, silence_s: int, seconds: int, crash_at: int | None) -> None:
        self.world.deps.clock.advance(seconds)
        self.world.bank.mode, self.world.bank.silence_s = mode, silence_s
        self.world.run(process_payout(self.world.deps), crash_at=crash_at)

    @rule(
        amount=amounts,
        first=st.sampled_from(["late_request", "lost_request", "lost_answer"]),
        then=st.sampled_from(["refuse", "refuse", *MODES]),
        silence_s=silences,
        seconds=st.sampled_from([1, 61, 125]),
    )
    def a_doubt_is_followed_up(
        self, amount: Decimal, first: str, then: str, silence_s: int, seconds: int
    ) -> None:
        self.a_payout_comes_to_be_held(driver=0, amount=amount)
        self.sends_go_out(mode=first, silence_s=silence_s, seconds=0, crash_at=None)
        self.sends_go_out(mode=then, silence_s=silence_s, seconds=seconds, crash_at=None)

    @precondition(lambda self: self.world.asked)
    @rule(data=st.data())
    def a_hint_is_followed(self, data: st.DataObject) -> None:
        self._hint(data.draw(st.sampled_from(sorted(self.world.asked))))
        self.world.run(poll_sends(self.world.deps))

    @rule(deaf=st.booleans(), nameless=st.booleans())
    def the_banks_queries_change(self, deaf: bool, nameless: bool) -> None:
        self.world.bank.deaf, self.world.bank.nameless = deaf, nameless

    @precondition(lambda self: self._orders(SendState.PROCESSING))
    @rule(data=st.data(), state=st.sampled_from([SendState.DONE, SendState.DONE, SendState.REJECTED]))
    def the_bank_decides(self, data: st.DataObject, state: SendState) -> None:
        self.world.bank.settle(data.draw(st.sampled_from(self._orders(SendState.PROCESSING))), state)

    @rule(driver=st.integers(0, DRIVERS - 1), part=st.sampled_from(["0.50", "2.00", "all"]))
    def a_payout_comes_back_at_once(self, driver: int, part: str) -> None:
        """The usual way to a return, told right away."""
        self.a_payout_comes_to_be_held(driver=driver, amount=Decimal("4.00"))
        self.sends_go_out(mode="ok", silence_s=0, seconds=0, crash_at=None)
        for id_envio in self._orders(SendState.PROCESSING):
            self.world.bank.settle(id_envio, SendState.DONE)
            self._give_back(id_envio, part)
            self._hint(id_envio)
        self.world.run(poll_sends(self.world.deps))

    @precondition(lambda self: self._orders(SendState.DONE))
    @rule(data=st.data(), part=st.sampled_from(["0.50", "2.00", "all"]))
    def a_receiver_gives_back(self, data: st.DataObject, part: str) -> None:
        self._give_back(data.draw(st.sampled_from(self._orders(SendState.DONE))), part)

    def _give_back(self, id_envio: str, part: str) -> None:
        order = self.world.bank.orders[id_envio]
        left = order.amount - sum((one.amount for one in order.returns), ZERO)
        amount = left if part == "all" else min(left, Decimal(part))
        if amount > ZERO:
            self.world.bank.give_back(id_envio, amount)

    @precondition(lambda self: self.world.asked)
    @rule(data=st.data())
    def a_webhook_hints(self, data: st.DataObject) -> None:
        self._hint(data.draw(st.sampled_from(sorted(self.world.asked))))

    @rule(seconds=st.sampled_from([0.5, 2, 30, 91, 125, 400, 4000]))
    def time_passes(self, seconds: float) -> None:
        self.world.deps.clock.advance(seconds)

    @rule(driver=st.integers(0, DRIVERS - 1), status=standings)
    def an_admin_decides(self, driver: int, status: UserStatus) -> None:
        driver_id = self.drivers[driver]
        self.versions[driver_id] += 1
        self.world.stand(driver_id, status, version=self.versions[driver_id])

    @invariant()
    def no_failure_with_money_gone(self) -> None:
        for payout in self.world.rows.payouts.values():
            order = self.world.bank.orders.get(payout.id.hex)
            if payout.step is Step.FAILED:
                assert order is None or order.state is SendState.REJECTED
                assert payout.id.hex not in self.world.bank.on_the_way
            if payout.status in (Status.COMPLETED, Status.RETURNED):
                assert order is not None
                assert order.state is SendState.DONE
                assert payout.returned <= sum((one.amount for one in order.returns), ZERO)

    @invariant()
    def each_end_is_told_once(self) -> None:
        ends = [
            fact.payout_id
            for fact in self.world.rows.published
            if isinstance(fact, PayoutCompleted | PayoutFailed)
        ]
        returns = [fact.return_id for fact in self.world.rows.published if isinstance(fact, PayoutReturned)]
        assert len(ends) == len(set(ends))
        assert len(returns) == len(set(returns))

    @invariant()
    def the_bank_moves_no_more_than_was_held(self) -> None:
        live = [o.amount for o in self.world.bank.orders.values() if o.state is not SendState.REJECTED]
        held = sum(self.world.ledger.holds.values(), ZERO)
        given_back = sum((r.amount for o in self.world.bank.orders.values() for r in o.returns), ZERO)
        assert sum(live, ZERO) - given_back <= held + self.world.ledger.paid

    @invariant()
    def an_honest_bank_contradicts_nothing(self) -> None:
        assert not [f for f in self.world.rows.published if isinstance(f, PayoutContradicted)]

    def drain(self) -> None:
        """The weather clears: everything comes to an end, and bank and ledger agree to the centavo."""
        world = self.world
        world.bank.mode, world.bank.silence_s, world.bank.deaf, world.bank.nameless = "ok", 0, False, False
        for _ in range(12):
            world.deps.clock.advance(400)
            world.bank.arrive()
            for id_envio in self._orders(SendState.PROCESSING):
                world.bank.settle(id_envio, SendState.DONE)
            for id_envio in sorted(world.asked):
                self._hint(id_envio)
            for job in JOBS:
                while world.run(job(world.deps)):
                    pass
            world.tell_ledger(10_000)
            world.tell_payout(10_000)
        self.everything_ended()

    def everything_ended(self) -> None:
        world = self.world
        assert {p.status for p in world.rows.payouts.values()} <= {
            Status.COMPLETED, Status.FAILED, Status.RETURNED,
        }  # fmt: skip
        assert world.ledger.holds == {}
        assert world.ledger.paid == world.bank.gone(list(world.bank.orders))
        for driver_id in self.drivers:
            own = [p.id.hex for p in world.rows.payouts.values() if p.driver_id == driver_id]
            assert world.ledger.available[driver_id] + world.bank.gone(own) == EARNED
        self.no_failure_with_money_gone()
        self.each_end_is_told_once()
        self.an_honest_bank_contradicts_nothing()

    def _orders(self, state: SendState) -> list[str]:
        return sorted(id_ for id_, order in self.world.bank.orders.items() if order.state is state)

    def _hint(self, id_envio: str) -> None:
        async def note() -> None:
            async with self.world.deps.transaction() as tx:
                await note_send_report(tx, id_envio=id_envio, now=self.world.deps.now())

        self.world.run(note())


PayoutMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestPayoutNeverLosesMoney = PayoutMachine.TestCase
