"""A refund: money of a received Pix that goes back to its payer by Efí's `devolucao`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from contracts.payment import (
    PaymentCreditRefunded,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentRefundRequested,
)
from kernel.refusals import Refusal
from payment.domain.booked import BookedPix
from payment.domain.intent import IllegalPaymentMove, Intent, IntentStatus


class RefundStatus(StrEnum):
    REQUESTED = "REQUESTED"
    PROCESSING = "PROCESSING"
    REFUNDED = "REFUNDED"
    FAILED = "FAILED"


class RefundTarget(StrEnum):
    """What is given back: the FARE that a payment received, or a CREDIT, money that was held."""

    FARE = "fare"
    CREDIT = "credit"


class RefundOrigin(StrEnum):
    """Who wanted it: an admin, our own rule, or somebody OUTSIDE of Ibora, in Efí's app."""

    ADMIN = "admin"
    RULE = "rule"
    OUTSIDE = "outside"


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
    """`efi_id` names it at Efí: stored before Efí is called, so that a repeated call is the same refund."""

    id: UUID
    payment_intent_id: UUID | None
    e2e_id: str
    efi_id: str
    amount: Decimal
    reason: str
    requested_by: UUID | None
    created_at: datetime
    target: RefundTarget = RefundTarget.FARE
    origin: RefundOrigin = RefundOrigin.ADMIN
    status: RefundStatus = RefundStatus.REQUESTED
    return_id: str | None = None
    failure_reason: str | None = None
    finished_at: datetime | None = None
    attempts: int = 0

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
        requested_by: UUID | None,
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
            efi_id=refund_id.hex,
            amount=amount,
            reason=reason,
            requested_by=requested_by,
            created_at=now,
        )
        return refund, refund.requested(intent)

    @classmethod
    def of_credit(
        cls,
        booked: BookedPix,
        *,
        refund_id: UUID,
        amount: Decimal,
        given: Decimal,
        reason: str,
        origin: RefundOrigin,
        requested_by: UUID | None,
        now: datetime,
    ) -> Self:
        """A refund of held money; `given` is what other refunds took of it or will take."""
        if given + amount > booked.held:
            raise RefundExceedsPayment(f"{booked.e2e_id} has less than {amount} left")
        return cls(
            id=refund_id,
            payment_intent_id=booked.intent_id,
            e2e_id=booked.e2e_id,
            efi_id=refund_id.hex,
            amount=amount,
            reason=reason,
            requested_by=requested_by,
            created_at=now,
            target=RefundTarget.CREDIT,
            origin=origin,
        )

    def requested(self, intent: Intent) -> PaymentRefundRequested:
        return PaymentRefundRequested(
            ride_id=intent.ride_id,
            payment_id=intent.id,
            passenger_id=intent.passenger_id,
            driver_id=intent.driver_id,
            refund_id=self.id,
            amount=self.amount,
            requested_at=self.created_at,
        )

    def process(self) -> Self:
        return self._move(RefundStatus.PROCESSING)

    def finish(
        self, intent: Intent, *, return_id: str, now: datetime
    ) -> tuple[Self, Intent, PaymentRefunded]:
        """The refund of a fare done, the intent after it, and the fact that the ledger reverses by."""
        done = self._done(return_id=return_id, now=now)
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

    def finish_credit(
        self, booked: BookedPix, *, refunded: Decimal, return_id: str, now: datetime
    ) -> tuple[Self, PaymentCreditRefunded]:
        """The refund of held money done; `refunded` is what had gone back of it before."""
        fact = PaymentCreditRefunded(
            refund_id=self.id,
            external_id=booked.external_id,
            e2e_id=self.e2e_id,
            amount=self.amount,
            total_refunded=refunded + self.amount,
            ride_id=booked.ride_id,
            payment_id=booked.intent_id,
            passenger_id=booked.passenger_id,
            return_id=return_id,
            refunded_at=now,
        )
        return self._done(return_id=return_id, now=now), fact

    def fail(self, *, reason: str, now: datetime) -> Self:
        return replace(self._move(RefundStatus.FAILED), failure_reason=reason, finished_at=now)

    def failed(self, intent: Intent, *, now: datetime) -> PaymentRefundFailed:
        return PaymentRefundFailed(
            ride_id=intent.ride_id,
            payment_id=intent.id,
            passenger_id=intent.passenger_id,
            driver_id=intent.driver_id,
            refund_id=self.id,
            amount=self.amount,
            reason=self.failure_reason or "refused_by_bank",
            failed_at=now,
        )

    def _done(self, *, return_id: str, now: datetime) -> Self:
        return replace(self._move(RefundStatus.REFUNDED), return_id=return_id, finished_at=now)

    def _move(self, to: RefundStatus) -> Self:
        if to not in MOVES[self.status]:
            raise IllegalPaymentMove(f"refund {self.id} cannot go from {self.status} to {to}")
        return replace(self, status=to)
