from datetime import datetime
from uuid import UUID

from contracts.ride_dispatch import RideDriverArrived
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.lock_driven_ride import lock_driven_ride


async def arrive_ride(tx: Tx, *, ride_id: UUID, driver_id: UUID, now: datetime) -> Ride:
    """The driver is at the pickup. Raises NotFound for another's ride, IllegalTransition."""
    ride = (await lock_driven_ride(tx, ride_id=ride_id, driver_id=driver_id)).arrive(now=now)
    await tx.rides.save(ride)
    fact = RideDriverArrived(
        ride_id=ride.id, passenger_id=ride.passenger_id, driver_id=driver_id, arrived_at=now
    )
    await tx.publish(fact, version=ride.version)
    return ride
