from uuid import UUID

from kernel.refusals import NotFound
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx


async def read_ride(tx: Tx, *, ride_id: UUID, user_id: UUID, is_admin: bool) -> Ride:
    """A ride for its passenger, its driver or an admin; NotFound for everybody else."""
    ride = await tx.rides.get(ride_id)
    if ride is None or not (is_admin or user_id in (ride.passenger_id, ride.driver_id)):
        raise NotFound
    return ride
