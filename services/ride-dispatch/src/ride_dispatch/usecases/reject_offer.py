from datetime import datetime
from uuid import UUID

from kernel.refusals import NotFound
from ride_dispatch.domain.offer import OfferResponse, RideNotAvailable
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.resume_search import resume_search


async def reject_offer(tx: Tx, *, ride_id: UUID, driver_id: UUID, now: datetime) -> Ride:
    """A driver says no; the last one to do so sends the ride back to the search.

    Saying no twice is saying no. Raises NotFound for no ride at all, RideNotAvailable for an offer that is
    over or never was.
    """
    ride = await tx.rides.lock(ride_id)
    if ride is None:
        raise NotFound
    offer = await tx.offers.get(ride_id=ride_id, driver_id=driver_id)
    if offer is None:
        raise RideNotAvailable("never_offered")
    if offer.response is OfferResponse.REJECTED:
        return ride
    if not offer.is_open(now=now):
        raise RideNotAvailable("offer_over")
    await tx.offers.close(ride_id=ride_id, response=OfferResponse.REJECTED, only=(driver_id,), now=now)
    return await resume_search(tx, ride=ride, now=now)
