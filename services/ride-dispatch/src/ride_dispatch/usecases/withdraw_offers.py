from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from contracts.ride_dispatch import OfferCanceled, OfferEnd
from ride_dispatch.domain.offer import OfferResponse
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx


async def withdraw_offers(
    tx: Tx,
    *,
    ride: Ride,
    reason: OfferEnd,
    now: datetime,
    only: Collection[UUID] | None = None,
    due_only: bool = False,
) -> Sequence[UUID]:
    """End open offers of a locked ride and tell their drivers; returns the drivers.

    A part of other verbs: the ride's new version must be saved in the same transaction.
    """
    response = OfferResponse.EXPIRED if reason is OfferEnd.EXPIRED else OfferResponse.WITHDRAWN
    drivers = await tx.offers.close(ride_id=ride.id, response=response, now=now, only=only, due_only=due_only)
    for driver_id in drivers:
        fact = OfferCanceled(ride_id=ride.id, driver_id=driver_id, reason=reason, canceled_at=now)
        await tx.publish(fact, version=ride.version)
    return drivers
