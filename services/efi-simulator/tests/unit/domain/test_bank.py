"""Whatever happens, no centavo appears or disappears, and no id is given twice."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from simulator_fakes import NOW, bank, charge, send

from efi_simulator.domain.charging import remove_charge
from efi_simulator.domain.modes import RefundMode, SendMode
from efi_simulator.domain.nouns import RefundStatus, SendStatus
from efi_simulator.domain.receiving import pay_charge, receive_pix, request_refund
from efi_simulator.domain.refusals import AnswerLost, BankRefusal, ChargeNotPayable
from efi_simulator.domain.sending import contradict_send, give_back
from efi_simulator.domain.settling import settle
from kernel.money import ZERO

amounts = st.decimals(min_value="0.01", max_value="600.00", places=2)
refusals = (BankRefusal, AnswerLost, ChargeNotPayable)


class Books(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.bank = bank(receive_fee=Decimal("0.30"), send_fee=Decimal("0.20"))
        self.bank.rules.settles_after = timedelta(seconds=1)
        self.now = NOW
        self.count = 0

    @rule(amount=amounts)
    def charge(self, amount: Decimal) -> None:
        self.count += 1
        charge(self.bank, f"{amount}", txid=f"{self.count:032d}")

    @precondition(lambda self: self.bank.charges)
    @rule(data=st.data(), force=st.booleans(), late=st.booleans())
    def pay(self, data: st.DataObject, force: bool, late: bool) -> None:
        txid = data.draw(st.sampled_from(sorted(self.bank.charges)))
        self._try(
            lambda: pay_charge(
                self.bank, txid=txid, amount=None, payer_cpf=None, force=force, late=late, now=self.now
            )
        )

    @precondition(lambda self: self.bank.charges)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        txid = data.draw(st.sampled_from(sorted(self.bank.charges)))
        self._try(lambda: remove_charge(self.bank, txid=txid))

    @rule(amount=amounts)
    def receive(self, amount: Decimal) -> None:
        receive_pix(self.bank, txid=None, amount=amount, payer_cpf=None, now=self.now)

    @precondition(lambda self: self.bank.received)
    @rule(data=st.data(), amount=amounts, id=st.sampled_from(["r1", "r2", "r3"]))
    def refund(self, data: st.DataObject, amount: Decimal, id: str) -> None:  # noqa: A002
        e2e_id = data.draw(st.sampled_from(sorted(self.bank.received)))
        self._try(lambda: request_refund(self.bank, e2e_id=e2e_id, refund_id=id, amount=amount, now=self.now))

    @rule(mode=st.sampled_from(SendMode), count=st.integers(1, 3))
    def misbehave(self, mode: SendMode, count: int) -> None:
        self.bank.send_mode.set(mode, count=count)

    @rule(mode=st.sampled_from(RefundMode), count=st.integers(1, 3))
    def misbehave_with_refunds(self, mode: RefundMode, count: int) -> None:
        self.bank.refund_mode.set(mode, count=count)

    @precondition(lambda self: self.bank.sends)
    @rule(data=st.data(), amount=st.none() | amounts)
    def give_back(self, data: st.DataObject, amount: Decimal | None) -> None:
        id_envio = data.draw(st.sampled_from(sorted(self.bank.sends)))
        self._try(lambda: give_back(self.bank, id_envio=id_envio, amount=amount, now=self.now))

    @precondition(lambda self: self.bank.sends)
    @rule(data=st.data(), status=st.sampled_from(SendStatus))
    def contradict(self, data: st.DataObject, status: SendStatus) -> None:
        id_envio = data.draw(st.sampled_from(sorted(self.bank.sends)))
        contradict_send(self.bank, id_envio=id_envio, status=status)

    @rule(homologation=st.booleans())
    def change_rules(self, homologation: bool) -> None:
        self.bank.rules.homologation = homologation

    @rule(amount=amounts, id=st.integers(0, 30))
    def send(self, amount: Decimal, id: int) -> None:  # noqa: A002
        self._try(lambda: send(self.bank, f"{amount}", id_envio=f"envio{id}"))

    @rule(seconds=st.sampled_from([0, 1, 3600]))
    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        settle(self.bank, now=self.now)

    @invariant()
    def no_centavo_appears_or_disappears(self) -> None:
        books = self.bank
        received = sum((one.amount for one in books.received.values()), ZERO)
        returned = sum((one.amount for one in books.returns.values()), ZERO)
        refunded = sum(
            (one.amount for one in books.refunds.values() if one.status is RefundStatus.DONE), ZERO
        )
        sent = sum(
            (one.amount for one in books.sends.values() if one.status is not SendStatus.REJECTED), ZERO
        )
        expected = books.opening_balance + received + returned - refunded - sent - books.fees
        assert books.balance == expected
        assert books.balance >= ZERO

    @invariant()
    def fees_are_those_of_what_happened(self) -> None:
        books = self.bank
        received = sum((one.fee for one in books.received.values()), ZERO)
        sent = sum((one.fee for one in books.sends.values() if one.status is not SendStatus.REJECTED), ZERO)
        assert books.fees == received + sent

    @invariant()
    def every_id_is_given_once(self) -> None:
        books = self.bank
        ids = [
            *books.received,
            *(one.e2e_id for one in books.sends.values()),
            *(one.return_id for one in books.refunds.values()),
            *(one.return_id for one in books.returns.values()),
        ]
        assert len(set(ids)) == len(ids)
        assert all(len(one) == 32 for one in ids)

    @invariant()
    def nothing_goes_back_beyond_what_came(self) -> None:
        for one in self.bank.received.values():
            back = [refund for refund in one.refunds if refund.status is not RefundStatus.REJECTED]
            assert sum((refund.amount for refund in back), ZERO) <= one.amount

    @invariant()
    def no_more_comes_back_than_went(self) -> None:
        for one in self.bank.sends.values():
            assert sum((back.amount for back in one.returns), ZERO) <= one.amount

    def _try(self, work) -> None:  # type: ignore[no-untyped-def]
        try:
            work()
        except refusals:
            return


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
