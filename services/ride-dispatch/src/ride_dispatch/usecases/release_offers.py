from datetime import datetime
from uuid import UUID

from contracts.ride_dispatch import OfferEnd
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.resume_search import resume_search
from ride_dispatch.usecases.withdraw_offers import withdraw_offers


async def release_offers(tx: Tx, *, driver_id: UUID, now: datetime) -> None:
    """Withdraw every open offer of a driver who is gone. A part of other verbs.

    The rides are locked in id order: two drivers who leave at once never wait for each other.
    """
    for ride_id in await tx.offers.rides_open_for(driver_id):
        ride = await tx.rides.lock(ride_id)
        assert ride is not None, "an offer without a ride"
        await withdraw_offers(tx, ride=ride, reason=OfferEnd.DRIVER_GONE, only=(driver_id,), now=now)
        await resume_search(tx, ride=ride, now=now)
