"""A payment intent: what a passenger owes for one ride, from the charge to the last refund."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from contracts.payment import PaymentConfirmed, PaymentExpired
from kernel.money import ZERO
from kernel.refusals import Refusal
from payment.domain.ride import Ride


class IntentStatus(StrEnum):
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    EXPIRED = "EXPIRED"
    REFUNDED = "REFUNDED"


MOVES: Final[Mapping[IntentStatus, frozenset[IntentStatus]]] = {
    IntentStatus.PENDING: frozenset({IntentStatus.CONFIRMED, IntentStatus.EXPIRED}),
    IntentStatus.CONFIRMED: frozenset({IntentStatus.REFUNDED}),
    IntentStatus.EXPIRED: frozenset(),
    IntentStatus.REFUNDED: frozenset(),
}


class IllegalPaymentMove(Refusal):
    """The payment is in a state that does not allow this."""

    code = "illegal_transition"
    status = 409
    pt = "O pagamento não permite esta operação agora."
    en = "The payment does not allow this now."


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Amounts in BRL. `commission` is the platform's part, copied from the ride's completion."""

    id: UUID
    ride_id: UUID
    passenger_id: UUID
    driver_id: UUID
    amount: Decimal
    commission: Decimal
    created_at: datetime
    expires_at: datetime
    status: IntentStatus = IntentStatus.PENDING
    payment_method: str = "pix"
    confirmed_at: datetime | None = None
    refunded: Decimal = ZERO
    version: int = 1

    @classmethod
    def open(cls, ride: Ride, *, intent_id: UUID, now: datetime, ttl_s: float) -> Self:
        """The intent for a completed ride."""
        return cls(
            id=intent_id,
            ride_id=ride.id,
            passenger_id=ride.passenger_id,
            driver_id=ride.payable_driver_id,
            amount=ride.payable_fare,
            commission=ride.commission,
            created_at=now,
            expires_at=now + timedelta(seconds=ttl_s),
        )

    def confirm(
        self, *, txid: str, e2e_id: str, fee: Decimal, paid_at: datetime, now: datetime
    ) -> tuple[Self, PaymentConfirmed]:
        confirmed = self._move(IntentStatus.CONFIRMED, confirmed_at=now)
        fact = PaymentConfirmed(
            **self._parties(),
            amount=self.amount,
            commission=self.commission,
            fee=fee,
            txid=txid,
            e2e_id=e2e_id,
            paid_at=paid_at,
            confirmed_at=now,
        )
        return confirmed, fact

    def expire(self, *, now: datetime) -> tuple[Self, PaymentExpired]:
        expired = self._move(IntentStatus.EXPIRED)
        return expired, PaymentExpired(**self._parties(), amount=self.amount, expired_at=now)

    def refund(self, *, amount: Decimal) -> Self:
        """The intent after `amount` went back: REFUNDED only when nothing is left."""
        total = self.refunded + amount
        if self.status is not IntentStatus.CONFIRMED or total > self.amount:
            raise IllegalPaymentMove(f"payment {self.id} cannot give back {total} of {self.amount}")
        if total == self.amount:
            return self._move(IntentStatus.REFUNDED, refunded=total)
        return replace(self, refunded=total, version=self.version + 1)

    def _move(self, to: IntentStatus, **changes: Any) -> Self:
        if to not in MOVES[self.status]:
            raise IllegalPaymentMove(f"payment {self.id} cannot go from {self.status} to {to}")
        return replace(self, status=to, version=self.version + 1, **changes)

    def _parties(self) -> dict[str, UUID]:
        return {
            "ride_id": self.ride_id,
            "payment_id": self.id,
            "passenger_id": self.passenger_id,
            "driver_id": self.driver_id,
        }
