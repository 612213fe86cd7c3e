"""A bank with books of its own, for tests that never tell it what to answer: only what happens."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from payment_fakes import FakeBank

from contracts.payment import StatementLineKind
from payment.domain.devolution import Devolution, ProviderRefund, RefundState
from payment.domain.provider import ProviderCharge, ProviderRefused, ProviderUnclear
from payment.domain.received import Received
from payment.domain.refund import Refund
from payment.domain.statement import Movement


class BankWithBooks(FakeBank):
    """Gives no Pix back twice, decides about refunds when it likes, and may lose its next answer."""

    def __init__(self) -> None:
        super().__init__()
        self.devolutions: dict[str, dict[str, Devolution]] = {}
        self.answers_to_lose = 0

    async def find_charge(self, txid: str) -> ProviderCharge:
        self._know(txid)
        return await super().find_charge(txid)

    async def remove_charge(self, txid: str) -> ProviderCharge:
        self._know(txid)
        answer = await super().remove_charge(txid)
        self._answer()
        return answer

    async def refund(self, refund: Refund) -> ProviderRefund:
        self._called(f"refund {refund.efi_id}")
        made = self.devolutions.setdefault(refund.e2e_id, {})
        if refund.efi_id not in made:
            self.give_back(refund.e2e_id, efi_id=refund.efi_id, amount=refund.amount)
        self._answer()
        return made[refund.efi_id].answer

    async def find_refund(self, refund: Refund) -> ProviderRefund | None:
        self._called(f"find refund {refund.efi_id}")
        made = self.devolutions.get(refund.e2e_id, {}).get(refund.efi_id)
        return None if made is None else made.answer

    async def find_received(self, e2e_id: str) -> Received | None:
        found = await super().find_received(e2e_id)
        self._answer()
        return found

    async def movements(self, *, start: datetime, end: datetime) -> AsyncIterator[Movement]:
        for pix in self.received.values():
            yield Movement(
                line_id=f"received:{pix.e2e_id}",
                kind=StatementLineKind.PIX_RECEIVED,
                amount=pix.amount,
                occurred_at=pix.paid_at,
                e2e_id=pix.e2e_id,
            )
            for devolution in self.devolutions.get(pix.e2e_id, {}).values():
                if devolution.answer.state is RefundState.DONE:
                    yield Movement(
                        line_id=f"refund:{devolution.answer.return_id}",
                        kind=StatementLineKind.REFUND_SENT,
                        amount=-devolution.amount,
                        occurred_at=pix.paid_at,
                        e2e_id=pix.e2e_id,
                        return_id=devolution.answer.return_id,
                    )

    def give_back(self, e2e_id: str, *, efi_id: str, amount: Decimal) -> None:
        """Somebody asks for it, us or a person in the bank's app. Raises ProviderRefused over what is left."""
        if amount > self.left(e2e_id):
            raise ProviderRefused("valor_invalido")
        answer = ProviderRefund(state=RefundState.PROCESSING, return_id=f"D{efi_id}")
        self.devolutions.setdefault(e2e_id, {})[efi_id] = Devolution(
            efi_id=efi_id, amount=amount, answer=answer
        )

    def decide(self, *, done: bool) -> None:
        """Every refund under way ends."""
        state = RefundState.DONE if done else RefundState.REFUSED
        for made in self.devolutions.values():
            for efi_id, devolution in made.items():
                if devolution.answer.state is RefundState.PROCESSING:
                    made[efi_id] = replace(devolution, answer=replace(devolution.answer, state=state))

    def left(self, e2e_id: str) -> Decimal:
        made = self.devolutions.get(e2e_id, {}).values()
        taken = [d.amount for d in made if d.answer.state is not RefundState.REFUSED]
        return self.received[e2e_id].amount - sum(taken, Decimal("0.00"))

    def given(self, e2e_id: str) -> Decimal:
        made = self.devolutions.get(e2e_id, {}).values()
        done = [d.amount for d in made if d.answer.state is RefundState.DONE]
        return sum(done, Decimal("0.00"))

    def _with_devolutions(self, received: Received) -> Received:
        made = self.devolutions.get(received.e2e_id, {})
        return replace(received, devolutions=tuple(made.values()))

    def _know(self, txid: str) -> None:
        if txid not in self.states:
            raise ProviderRefused("cobranca_nao_encontrada")

    def _answer(self) -> None:
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise ProviderUnclear("the answer was lost")
