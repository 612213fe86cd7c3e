"""A received Pix as it is booked: what of it paid a fare, and what is held for whom."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Self
from uuid import UUID

from contracts.payment import MismatchKind
from payment.domain.intent import Intent
from payment.domain.received import Received, Verdict

FOR_THE_FARE: Final = frozenset({MismatchKind.SECOND, MismatchKind.LATE, MismatchKind.SHORT})
"""Held although it was meant as the fare: of no use to the passenger once the ride is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedPix:
    """Written once. `held` of the amount is a passenger's credit, or in suspense when nobody is known for it."""

    e2e_id: str
    txid: str | None
    amount: Decimal
    fee: Decimal
    paid_at: datetime
    held: Decimal
    mismatch: MismatchKind | None = None
    intent_id: UUID | None = None
    ride_id: UUID | None = None
    passenger_id: UUID | None = None

    @classmethod
    def of(cls, received: Received, *, verdict: Verdict, intent: Intent | None) -> Self:
        return cls(
            e2e_id=received.e2e_id,
            txid=received.txid,
            amount=received.amount,
            fee=received.fee,
            paid_at=received.paid_at,
            held=verdict.held,
            mismatch=verdict.mismatch,
            intent_id=intent.id if intent else None,
            ride_id=intent.ride_id if intent else None,
            passenger_id=intent.passenger_id if intent else None,
        )

    @property
    def external_id(self) -> str:
        """The name under which what is held was told to the ledger (`payment.mismatch_found`)."""
        return f"{self.e2e_id}:surplus" if self.mismatch is MismatchKind.SURPLUS else self.e2e_id
