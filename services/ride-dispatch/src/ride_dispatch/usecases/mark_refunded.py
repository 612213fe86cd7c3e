from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.ride_dispatch import RideRefunded, RideStatus
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.lock_payable_ride import lock_payable_ride


async def mark_refunded(tx: Tx, *, ride_id: UUID, total: Decimal, full: bool, now: datetime) -> Ride:
    """Money went back: REFUNDED once all of it has. A part of it, or a second time, changes nothing.

    Raises NotFound for an unknown ride and IllegalTransition for one that was not paid: both are bugs.
    """
    ride = await lock_payable_ride(tx, ride_id=ride_id)
    if not full or ride.status is RideStatus.REFUNDED:
        return ride
    refunded = ride.refund(now=now)
    await tx.rides.save(refunded)
    fact = RideRefunded(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        driver_id=ride.driver(),
        amount=total,
        refunded_at=now,
    )
    await tx.publish(fact, version=refunded.version)
    return refunded
