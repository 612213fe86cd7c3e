from uuid import UUID

from kernel.refusals import NotFound
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx


async def lock_driven_ride(tx: Tx, *, ride_id: UUID, driver_id: UUID) -> Ride:
    """The ride of this driver, locked. A part of other verbs. Raises NotFound for another's."""
    ride = await tx.rides.lock(ride_id)
    if ride is None or ride.driver_id != driver_id:
        raise NotFound
    return ride
