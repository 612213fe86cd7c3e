"""An offer of one ride to one driver. One row a pair: a later try opens it again."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from kernel.refusals import Refusal


class RideNotAvailable(Refusal):
    """Too late, lost to another driver, never offered, or the driver is on a ride; `detail` says which."""

    code = "ride_not_available"
    status = 409
    pt = "Esta corrida não está mais disponível."
    en = "This ride is not available any more."


class DriverBusy(RideNotAvailable):
    """The driver is on another ride."""


class OfferResponse(StrEnum):
    """How an offer ended. WITHDRAWN: another driver took the ride, or it was canceled."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """`response` is None while the offer is open. `excluded`: this driver gave the ride up, for good."""

    id: UUID
    ride_id: UUID
    driver_id: UUID
    try_no: int
    wave: int
    pickup_distance_m: int
    offered_at: datetime
    expires_at: datetime
    response: OfferResponse | None = None
    responded_at: datetime | None = None
    excluded: bool = False

    def is_open(self, *, now: datetime) -> bool:
        """Whether the driver may still answer."""
        return self.response is None and now < self.expires_at

    def answer(self, response: OfferResponse, *, now: datetime) -> Self:
        """The offer with its end."""
        return replace(self, response=response, responded_at=now)

    def bars(self, *, try_no: int) -> bool:
        """Whether this driver gets no offer in the try `try_no`: said no, gave up, or had it already."""
        return self.excluded or self.response is OfferResponse.REJECTED or self.try_no >= try_no
