from datetime import datetime
from uuid import UUID

from contracts.ride_dispatch import OfferEnd
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.resume_search import resume_search
from ride_dispatch.usecases.withdraw_offers import withdraw_offers


async def expire_offers(tx: Tx, *, ride_id: UUID, now: datetime) -> int:
    """End the offers of a ride that are over, or whose driver is on another ride; returns how many."""
    ride = await tx.rides.lock_if_free(ride_id)
    if ride is None:
        return 0
    drivers = await withdraw_offers(tx, ride=ride, reason=OfferEnd.EXPIRED, due_only=True, now=now)
    await resume_search(tx, ride=ride, now=now)
    return len(drivers)
