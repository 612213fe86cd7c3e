"""Who hears of a fact, and how much of it each may know."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.base import Fact
from contracts.payment import PaymentConfirmed, PaymentExpired, PaymentIntentCreated, PaymentRefunded
from contracts.payout import PayoutCompleted, PayoutFailed, PayoutReturned
from contracts.ride_dispatch import (
    DriverLocationUpdated,
    OfferCanceled,
    RideAccepted,
    RideCanceled,
    RideCompleted,
    RideDriverArrived,
    RideNoDriverFound,
    RideOffered,
    RidePaid,
    RideReassigning,
    RideStarted,
)
from notification.domain.message import Message

_PARTIES: Final = ("passenger_id", "driver_id")
_PASSENGER: Final = ("passenger_id",)
_DRIVER: Final = ("driver_id",)

# Fact → who hears of it; and the fields that only the other party may know.
AUDIENCES: Final[Mapping[type[Fact], tuple[str, ...]]] = {
    RideOffered: _DRIVER,
    OfferCanceled: _DRIVER,
    RideAccepted: _PARTIES,
    RideDriverArrived: _PARTIES,
    RideStarted: _PARTIES,
    RideCompleted: _PARTIES,
    RideCanceled: _PARTIES,
    RideReassigning: _PARTIES,
    RideNoDriverFound: _PASSENGER,
    RidePaid: _PARTIES,
    PaymentIntentCreated: _PASSENGER,
    PaymentConfirmed: _PARTIES,
    PaymentExpired: _PASSENGER,
    PaymentRefunded: _PASSENGER,
    PayoutCompleted: _DRIVER,
    PayoutFailed: _DRIVER,
    PayoutReturned: _DRIVER,
}

_BETWEEN_DRIVER_AND_PLATFORM: Final = frozenset({"commission", "commission_bps"})
_INTERNAL: Final = frozenset({"id_envio", "fee", "held", "return_id", "refund_id", "payment_amount"})
_FROM_PASSENGER: Final = _BETWEEN_DRIVER_AND_PLATFORM | _INTERNAL
_FROM_DRIVER: Final = _INTERNAL | {"txid", "e2e_id", "pix_copy_paste"}
_HIDDEN: Final[Mapping[str, frozenset[str]]] = {
    "passenger_id": _FROM_PASSENGER,
    "driver_id": _FROM_DRIVER,
}


def messages_of(fact: Fact, *, event_id: UUID, occurred_at: datetime) -> Sequence[Message]:
    """One message a listener; a party that the fact leaves open (no driver yet) hears nothing."""
    data = fact.model_dump(mode="json")
    return [
        Message(
            user_id=user_id,
            id=event_id,
            type=fact.fact,
            occurred_at=occurred_at,
            data=_visible(data, hidden=_HIDDEN[role]),
        )
        for role in AUDIENCES[type(fact)]
        if (user_id := getattr(fact, role)) is not None
    ]


def location_message(fact: DriverLocationUpdated, *, event_id: UUID) -> Message | None:
    """For the passenger of the ride that the driver is on, and for nobody else."""
    if fact.passenger_id is None or fact.ride_id is None:
        return None
    data = fact.model_dump(mode="json", exclude={"passenger_id"})
    return Message(
        user_id=fact.passenger_id, id=event_id, type=fact.fact, occurred_at=fact.recorded_at, data=data
    )


def _visible(data: Mapping[str, Any], *, hidden: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in hidden}
