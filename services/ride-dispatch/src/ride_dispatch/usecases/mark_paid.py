from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.ride_dispatch import RidePaid
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.lock_payable_ride import PAID_FOR, lock_payable_ride


async def mark_paid(tx: Tx, *, ride_id: UUID, amount: Decimal, now: datetime) -> Ride:
    """The fare was received: PAID, also straight from COMPLETED. A second time changes nothing.

    Raises NotFound for an unknown ride and IllegalTransition for one that is not over: both are bugs.
    """
    ride = await lock_payable_ride(tx, ride_id=ride_id)
    if ride.status in PAID_FOR:
        return ride
    paid = ride.pay(now=now)
    await tx.rides.save(paid)
    fact = RidePaid(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        driver_id=ride.driver(),
        amount=amount,
        paid_at=now,
    )
    await tx.publish(fact, version=paid.version)
    return paid
