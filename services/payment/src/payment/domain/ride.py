"""What payment knows of a ride: whose it is, whether it can be paid, and how much."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from kernel.money import ZERO
from kernel.refusals import Refusal


class RideState(StrEnum):
    """OPEN may still be completed; COMPLETED can be paid; CLOSED never will be."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    CLOSED = "CLOSED"


class RideNotPayableYet(Refusal):
    """The ride is not finished, or was never driven."""

    code = "ride_not_payable_yet"
    status = 409
    final = False
    pt = "Esta corrida ainda não pode ser paga."
    en = "This ride cannot be paid yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """A projection of ride-dispatch's facts; `fare` and `commission` are known once it is COMPLETED."""

    id: UUID
    passenger_id: UUID
    driver_id: UUID | None = None
    state: RideState = RideState.OPEN
    fare: Decimal | None = None
    commission: Decimal = ZERO

    @property
    def payable_fare(self) -> Decimal:
        """The fare; RideNotPayableYet before the ride is completed, and for a ride that costs nothing."""
        if self.state is not RideState.COMPLETED or not self.fare:
            raise RideNotPayableYet(f"ride {self.id} is {self.state}")
        return self.fare

    @property
    def payable_driver_id(self) -> UUID:
        if self.driver_id is None:
            raise RideNotPayableYet(f"ride {self.id} has no driver")
        return self.driver_id
