from datetime import datetime
from uuid import UUID

from contracts.ride_dispatch import RideStarted
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.lock_driven_ride import lock_driven_ride


async def start_ride(tx: Tx, *, ride_id: UUID, driver_id: UUID, now: datetime) -> Ride:
    """The passenger is in the car. Raises NotFound for another's ride, IllegalTransition."""
    ride = (await lock_driven_ride(tx, ride_id=ride_id, driver_id=driver_id)).start(now=now)
    await tx.rides.save(ride)
    fact = RideStarted(ride_id=ride.id, passenger_id=ride.passenger_id, driver_id=driver_id, started_at=now)
    await tx.publish(fact, version=ride.version)
    return ride
