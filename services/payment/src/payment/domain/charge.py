"""A Pix charge at Efí for one intent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from contracts.payment import PaymentIntentCreated
from payment.domain.intent import IllegalPaymentMove, Intent


class ChargeStatus(StrEnum):
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    EXPIRED = "EXPIRED"


MOVES: Final[Mapping[ChargeStatus, frozenset[ChargeStatus]]] = {
    ChargeStatus.ACTIVE: frozenset({ChargeStatus.COMPLETED, ChargeStatus.EXPIRED}),
    ChargeStatus.COMPLETED: frozenset(),
    ChargeStatus.EXPIRED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """`txid` comes from the id and is stored before Efí is called; the codes come with its answer."""

    id: UUID
    payment_intent_id: UUID
    txid: str
    amount: Decimal
    created_at: datetime
    expires_at: datetime
    status: ChargeStatus = ChargeStatus.ACTIVE
    qr_code: str | None = None
    pix_copy_paste: str | None = None
    e2e_id: str | None = None
    paid_at: datetime | None = None

    @classmethod
    def of(cls, intent: Intent, *, charge_id: UUID) -> Self:
        return cls(
            id=charge_id,
            payment_intent_id=intent.id,
            txid=charge_id.hex,
            amount=intent.amount,
            created_at=intent.created_at,
            expires_at=intent.expires_at,
        )

    @property
    def submitted(self) -> bool:
        """Whether Efí has answered with the code."""
        return self.pix_copy_paste is not None

    def submit(
        self, intent: Intent, *, pix_copy_paste: str, qr_code: str
    ) -> tuple[Self, PaymentIntentCreated]:
        """The charge with its codes; a charge that is no longer ACTIVE has no use for them."""
        if self.status is not ChargeStatus.ACTIVE:
            raise IllegalPaymentMove(f"charge {self.id} is {self.status}")
        fact = PaymentIntentCreated(
            ride_id=intent.ride_id,
            payment_id=intent.id,
            passenger_id=intent.passenger_id,
            driver_id=intent.driver_id,
            amount=self.amount,
            txid=self.txid,
            pix_copy_paste=pix_copy_paste,
            expires_at=self.expires_at,
        )
        return replace(self, pix_copy_paste=pix_copy_paste, qr_code=qr_code), fact

    def complete(self, *, e2e_id: str, paid_at: datetime) -> Self:
        return replace(self._move(ChargeStatus.COMPLETED), e2e_id=e2e_id, paid_at=paid_at)

    def expire(self) -> Self:
        return self._move(ChargeStatus.EXPIRED)

    def _move(self, to: ChargeStatus) -> Self:
        if to not in MOVES[self.status]:
            raise IllegalPaymentMove(f"charge {self.id} cannot go from {self.status} to {to}")
        return replace(self, status=to)
