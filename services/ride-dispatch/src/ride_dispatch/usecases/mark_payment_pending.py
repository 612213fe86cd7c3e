from datetime import datetime
from uuid import UUID

from contracts.ride_dispatch import RidePaymentPending
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.lock_payable_ride import PAID_FOR, lock_payable_ride


async def mark_payment_pending(tx: Tx, *, ride_id: UUID, now: datetime) -> Ride:
    """The charge exists. A ride that is further already stays: a new code for it changes nothing here.

    Raises NotFound for an unknown ride and IllegalTransition for one that is not over: both are bugs.
    """
    ride = await lock_payable_ride(tx, ride_id=ride_id)
    if ride.payment_pending_at is not None or ride.status in PAID_FOR:
        return ride
    pending = ride.await_payment(now=now)
    await tx.rides.save(pending)
    fact = RidePaymentPending(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        driver_id=ride.driver(),
        amount=ride.fare(),
        pending_at=now,
    )
    await tx.publish(fact, version=pending.version)
    return pending
