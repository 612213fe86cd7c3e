from typing import Final
from uuid import UUID

from contracts.ride_dispatch import RideStatus
from kernel.refusals import NotFound
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx

PAID_FOR: Final = frozenset({RideStatus.PAID, RideStatus.REFUNDED})


async def lock_payable_ride(tx: Tx, *, ride_id: UUID) -> Ride:
    """The ride that a payment speaks of, locked. A part of other verbs. Raises NotFound."""
    ride = await tx.rides.lock(ride_id)
    if ride is None:
        raise NotFound(f"ride {ride_id}")
    return ride
