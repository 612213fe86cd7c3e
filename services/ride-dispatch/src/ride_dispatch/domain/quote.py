"""A quote: a price that holds for a while, with the tariff behind it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from contracts.identity import VehicleCategory
from kernel.refusals import Invalid, Refusal
from ride_dispatch.domain.fare import Estimate, Tariff, estimate_fare
from ride_dispatch.domain.place import Place

# Eight decimals are what a quote's columns keep; an app may send more.
SAME_PLACE_DEGREES = 1e-6


class QuoteExpired(Refusal):
    """The quote's time is over; an expired quote never books."""

    code = "quote_expired"
    status = 409
    pt = "Essa cotação expirou. Peça uma nova."
    en = "This quote has expired. Ask for a new one."


class QuoteMismatch(Invalid):
    """The quote is unknown, another's, or for another trip."""

    code = "quote_mismatch"
    pt = "Essa cotação não vale para esta corrida."
    en = "This quote does not fit this ride."


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    id: UUID
    passenger_id: UUID
    category: VehicleCategory
    pickup: Place
    dropoff: Place
    estimate: Estimate
    tariff: Tariff
    expires_at: datetime

    @classmethod
    def of(
        cls,
        tariff: Tariff,
        *,
        id_: UUID,
        passenger_id: UUID,
        category: VehicleCategory,
        pickup: Place,
        dropoff: Place,
        expires_at: datetime,
    ) -> Self:
        """Price the trip with `tariff`."""
        return cls(
            id=id_,
            passenger_id=passenger_id,
            category=category,
            pickup=pickup,
            dropoff=dropoff,
            estimate=estimate_fare(tariff, pickup=pickup, dropoff=dropoff),
            tariff=tariff,
            expires_at=expires_at,
        )

    def require_fit(
        self,
        *,
        passenger_id: UUID,
        category: VehicleCategory,
        pickup: Place,
        dropoff: Place,
        now: datetime,
    ) -> None:
        """Raise QuoteMismatch or QuoteExpired unless this quote books that trip."""
        same_trip = _same(self.pickup, pickup) and _same(self.dropoff, dropoff)
        if not (same_trip and self.passenger_id == passenger_id and self.category == category):
            raise QuoteMismatch
        if now >= self.expires_at:
            raise QuoteExpired


def _same(one: Place, other: Place) -> bool:
    return abs(one.lat - other.lat) < SAME_PLACE_DEGREES and abs(one.lon - other.lon) < SAME_PLACE_DEGREES
