"""A refund: money that goes back to the passenger by Efí's `devolucao`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from contracts.payment import PaymentRefunded, PaymentRefundRequested
from kernel.refusals import Refusal
from payment.domain.intent import IllegalPaymentMove, Intent, IntentStatus


class RefundStatus(StrEnum):
    REQUESTED = "REQUESTED"
    PROCESSING = "PROCESSING"
    REFUNDED = "REFUNDED"
    FAILED = "FAILED"


OPEN: Final = frozenset({RefundStatus.REQUESTED, RefundStatus.PROCESSING})

MOVES: Final[Mapping[RefundStatus, frozenset[RefundStatus]]] = {
    RefundStatus.REQUESTED: frozenset({RefundStatus.PROCESSING, RefundStatus.REFUNDED, RefundStatus.FAILED}),
    RefundStatus.PROCESSING: frozenset({RefundStatus.REFUNDED, RefundStatus.FAILED}),
    RefundStatus.REFUNDED: frozenset(),
    RefundStatus.FAILED: frozenset(),
}


class RefundExceedsPayment(Refusal):
    """More than what is left of the payment, open refunds counted."""

    code = "refund_exceeds_payment"
    status = 422
    pt = "O reembolso é maior do que o valor que resta do pagamento."
    en = "The refund is more than what is left of the payment."


class PaymentNotRefundable(Refusal):
    """Only a confirmed payment can be refunded."""

    code = "payment_not_refundable"
    status = 409
    pt = "Este pagamento não pode ser reembolsado."
    en = "This payment cannot be refunded."


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """`efi_id` comes from the id, so that a repeated call to Efí is the same refund."""

    id: UUID
    payment_intent_id: UUID
    e2e_id: str
    amount: Decimal
    reason: str
    requested_by: UUID
    created_at: datetime
    status: RefundStatus = RefundStatus.REQUESTED
    return_id: str | None = None
    failure_reason: str | None = None
    finished_at: datetime | None = None

    @property
    def efi_id(self) -> str:
        return self.id.hex

    @classmethod
    def request(
        cls,
        intent: Intent,
        *,
        refund_id: UUID,
        e2e_id: str,
        amount: Decimal,
        open_amount: Decimal,
        reason: str,
        requested_by: UUID,
        now: datetime,
    ) -> tuple[Self, PaymentRefundRequested]:
        """A refund of part of `intent`; `open_amount` is what other refunds under way will take."""
        if intent.status is IntentStatus.REFUNDED:
            raise RefundExceedsPayment(f"payment {intent.id} is refunded in full")
        if intent.status is not IntentStatus.CONFIRMED:
            raise PaymentNotRefundable(f"payment {intent.id} is {intent.status}")
        if intent.refunded + open_amount + amount > intent.amount:
            raise RefundExceedsPayment(f"payment {intent.id} has less than {amount} left")
        refund = cls(
            id=refund_id,
            payment_intent_id=intent.id,
            e2e_id=e2e_id,
            amount=amount,
            reason=reason,
            requested_by=requested_by,
            created_at=now,
        )
        fact = PaymentRefundRequested(
            ride_id=intent.ride_id,
            payment_id=intent.id,
            passenger_id=intent.passenger_id,
            driver_id=intent.driver_id,
            refund_id=refund_id,
            amount=amount,
            requested_at=now,
        )
        return refund, fact

    def process(self) -> Self:
        return self._move(RefundStatus.PROCESSING)

    def finish(
        self, intent: Intent, *, return_id: str, now: datetime
    ) -> tuple[Self, Intent, PaymentRefunded]:
        """The refund done, the intent after it, and the fact that the ledger reverses by."""
        done = replace(self._move(RefundStatus.REFUNDED), return_id=return_id, finished_at=now)
        after = intent.refund(amount=self.amount)
        fact = PaymentRefunded(
            ride_id=intent.ride_id,
            payment_id=intent.id,
            passenger_id=intent.passenger_id,
            driver_id=intent.driver_id,
            refund_id=self.id,
            amount=self.amount,
            total_refunded=after.refunded,
            payment_amount=intent.amount,
            commission=intent.commission,
            e2e_id=self.e2e_id,
            return_id=return_id,
            full=after.status is IntentStatus.REFUNDED,
            refunded_at=now,
        )
        return done, after, fact

    def fail(self, *, reason: str, now: datetime) -> Self:
        return replace(self._move(RefundStatus.FAILED), failure_reason=reason, finished_at=now)

    def _move(self, to: RefundStatus) -> Self:
        if to not in MOVES[self.status]:
            raise IllegalPaymentMove(f"refund {self.id} cannot go from {self.status} to {to}")
        return replace(self, status=to)
