from datetime import datetime
from uuid import UUID

from contracts.ride_dispatch import OfferEnd, RideNoDriverFound, RideStatus
from ride_dispatch.domain.ride import SEARCHED, Ride
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.withdraw_offers import withdraw_offers


async def end_search(tx: Tx, *, ride_id: UUID, now: datetime) -> Ride | None:
    """Nobody took the ride in time: NO_DRIVER_FOUND. None when there is nothing to end."""
    ride = await tx.rides.lock_if_free(ride_id)
    if ride is None or ride.status not in SEARCHED or now < ride.search.ends_at:
        return None
    if ride.status is RideStatus.OFFERED:
        ride = ride.lose_offers(now=now)
        await withdraw_offers(tx, ride=ride, reason=OfferEnd.EXPIRED, now=now)
        await tx.rides.save(ride)
    ended = ride.give_up_search(now=now)
    await tx.rides.save(ended)
    fact = RideNoDriverFound(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        searched_s=round((now - ride.search.started_at).total_seconds()),
        ended_at=now,
    )
    await tx.publish(fact, version=ended.version)
    return ended
