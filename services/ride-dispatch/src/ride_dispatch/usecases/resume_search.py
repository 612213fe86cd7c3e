from datetime import datetime

from contracts.ride_dispatch import RideStatus
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx


async def resume_search(tx: Tx, *, ride: Ride, now: datetime) -> Ride:
    """Send a locked OFFERED ride whose offers are all gone back to SEARCHING; else leave it.

    A part of other verbs. Nobody is told: for the passenger the search simply goes on.
    """
    if ride.status is not RideStatus.OFFERED:
        return ride
    offers = await tx.offers.of_ride(ride.id)
    if any(offer.response is None for offer in offers):
        return ride
    searching = ride.lose_offers(now=now)
    await tx.rides.save(searching)
    return searching
