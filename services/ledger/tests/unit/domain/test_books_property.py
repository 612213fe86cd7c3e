"""Whatever happens in whatever order: journals sum to zero and nobody has less than nothing."""

from decimal import Decimal
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from ledger_books import completed, confirmed, failed, mismatch, ready, refunded, returned
from ledger_fakes import FakeBooks

from contracts.ledger import EntryType, LedgerPayoutHeld, LedgerPayoutRefused
from contracts.payment import PaymentConfirmed
from contracts.payout import PayoutReady
from kernel.ids import new_id
from kernel.money import ZERO, money, split
from ledger.domain.chart import CHART, Classification
from ledger.domain.payout import completion, giving_back, hold, release
from ledger.domain.refund import refund
from ledger.domain.settlement import settlement, suspension
from ledger.domain.trial_balance import trial_difference

centavos = st.integers(min_value=1, max_value=30_000)


def amount(value: int) -> str:
    return str(money(value) / 100)


class Money(RuleBasedStateMachine):
    """Payments, holds, completions, failures, returns and refunds of three drivers."""

    payments = Bundle("payments")
    asked = Bundle("asked")
    held = Bundle("held")
    sent = Bundle("sent")

    @initialize()
    def start(self) -> None:
        self.books = FakeBooks()
        self.drivers = [new_id() for _ in range(3)]
        self.owed: dict[UUID, Decimal] = dict.fromkeys(self.drivers, ZERO)
        self.refunded: dict[UUID, Decimal] = {}
        self.returned: dict[UUID, Decimal] = {}
        self.bank = ZERO

    @rule(
        target=payments,
        driver=st.integers(0, 2),
        value=centavos,
        bps=st.integers(0, 10_000),
        fee=st.integers(0, 50),
    )
    def pay(self, driver: int, value: int, bps: int, fee: int) -> PaymentConfirmed:
        paid = confirmed(
            amount(value),
            commission=amount(value * bps // 10_000),
            fee=amount(fee),
            driver_id=self.drivers[driver],
        )
        self.books.post(settlement(paid), settlement(paid))
        self.owed[paid.driver_id] += paid.amount - paid.commission
        self.bank += paid.amount - paid.fee
        return paid

    @rule(value=centavos, known=st.booleans())
    def receive_stray_pix(self, value: int, known: bool) -> None:
        found = mismatch(amount(value), passenger_id=new_id() if known else None)
        self.books.post(suspension(found))
        self.bank += found.amount

    @rule(target=asked, driver=st.integers(0, 2), value=centavos)
    def ask(self, driver: int, value: int) -> PayoutReady:
        return ready(amount(value), driver_id=self.drivers[driver])

    @rule(target=held, payout=consumes(asked))
    def decide(self, payout: PayoutReady) -> tuple[PayoutReady, bool]:
        available = self.books.balance(payout.driver_id).available
        decision = self.books.post(hold(payout))
        accepted = any(isinstance(fact, LedgerPayoutHeld) for fact in decision)
        assert accepted != any(isinstance(fact, LedgerPayoutRefused) for fact in decision)
        assert accepted == (payout.amount <= available)
        return payout, accepted

    @rule(decided=consumes(held))
    def fail(self, decided: tuple[PayoutReady, bool]) -> None:
        payout, accepted = decided
        self.books.post(release(failed(payout, held=accepted)))

    @rule(target=sent, decided=consumes(held), fee=st.integers(0, 50))
    def complete(self, decided: tuple[PayoutReady, bool], fee: int) -> PayoutReady | None:
        payout, accepted = decided
        if not accepted:
            return None
        done = completed(payout, fee=amount(fee))
        self.books.post(completion(done))
        self.owed[payout.driver_id] -= payout.amount
        self.bank -= payout.amount + done.fee
        return payout

    @rule(payout=sent, part=st.integers(1, 100))
    def give_back(self, payout: PayoutReady | None, part: int) -> None:
        if payout is None:
            return
        before = self.returned.get(payout.payout_id, ZERO)
        value = min(payout.amount - before, max(payout.amount * part // 100, money("0.01")))
        if value > ZERO:
            self.books.post(giving_back(returned(payout, str(value), total=str(before + value))))
            self.returned[payout.payout_id] = before + value
            self.owed[payout.driver_id] += value
            self.bank += value

    @rule(paid=payments, part=st.integers(1, 100))
    def refund(self, paid: PaymentConfirmed, part: int) -> None:
        before = self.refunded.get(paid.payment_id, ZERO)
        value = min(paid.amount - before, max(money(int(paid.amount * part) // 100), money("0.01")))
        if value > ZERO:
            self.books.post(refund(refunded(paid, str(value), total=str(before + value))))
            self.refunded[paid.payment_id] = before + value
            weights = (paid.commission, paid.amount - paid.commission)
            self.owed[paid.driver_id] -= (
                split(before + value, weights=weights)[1] - split(before, weights=weights)[1]
            )
            self.bank -= value

    @invariant()
    def every_journal_sums_to_zero(self) -> None:
        for journal in self.books.journals:
            sides = dict.fromkeys(EntryType, ZERO)
            for line in journal.draft.lines:
                assert line.amount > ZERO
                sides[line.entry_type] += line.amount
            assert sides[EntryType.DEBIT] == sides[EntryType.CREDIT] > ZERO

    @invariant()
    def the_trial_balance_is_zero(self) -> None:
        codes = [a.code for a in CHART if a.classification is Classification.DETAIL]
        assert trial_difference({code: self.books.account(code) for code in codes}) == ZERO

    @invariant()
    def nobody_has_less_than_nothing(self) -> None:
        for balance in self.books.balances.values():
            assert min(balance.available, balance.on_hold, balance.receivable) >= ZERO
            kept = (self.books.kept.get((code, balance.driver_id), ZERO) for code in ("2100", "2150", "1350"))
            assert tuple(kept) == (balance.available, balance.on_hold, balance.receivable)

    @invariant()
    def balances_say_what_happened(self) -> None:
        for driver_id, owed in self.owed.items():
            balance = self.books.balance(driver_id)
            assert balance.available + balance.on_hold - balance.receivable == owed
        assert self.books.account("1100") == self.bank
        assert self.books.account("1300") == self.books.account("4100") == ZERO


Money.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is not a bad strategy
)
TestAnySequence = Money.TestCase
