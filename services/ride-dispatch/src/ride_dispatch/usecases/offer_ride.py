from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.ride_dispatch import RideOffered, RideStatus
from kernel.ids import new_id
from ride_dispatch.domain.matching import Candidate, Choice, Gate, Near, choose
from ride_dispatch.domain.offer import Offer, OfferResponse
from ride_dispatch.domain.ride import SEARCHED, Ride
from ride_dispatch.domain.search import SearchPolicy
from ride_dispatch.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """What one wave did: how many were offered the ride, how many each gate dropped, and whom the index
    should not have found."""

    offered: int
    dropped: Counter[Gate]
    gone: tuple[UUID, ...]


async def offer_ride(
    tx: Tx, *, ride_id: UUID, nearby: Sequence[Near], radius_m: int, policy: SearchPolicy, now: datetime
) -> Wave | None:
    """Send a wave of offers to the best of `nearby`; None when no wave is due or another process is at it."""
    ride = await tx.rides.lock_if_free(ride_id)
    if ride is None or ride.status not in SEARCHED or not ride.search.due(policy, now=now):
        return None
    offers = await tx.offers.of_ride(ride_id)
    barred = {offer.driver_id for offer in offers if offer.bars(try_no=ride.search.try_no)}
    choice = await _choose(tx, ride=ride, nearby=nearby, barred=barred, policy=policy)
    if choice.chosen:
        await _send(tx, ride=ride, chosen=choice.chosen, radius_m=radius_m, policy=policy, now=now)
    else:
        used_up = ride.status is RideStatus.SEARCHING and _may_be_asked_again(offers)
        search = ride.search.idled(policy, radius_m=radius_m, used_up=used_up, now=now)
        await tx.rides.save_search(ride_id, search)
    return Wave(offered=len(choice.chosen), dropped=choice.dropped, gone=choice.gone)


async def _choose(
    tx: Tx, *, ride: Ride, nearby: Sequence[Near], barred: Collection[UUID], policy: SearchPolicy
) -> Choice:
    """Gate twice: those known to be barred are not even locked."""
    fresh = [near for near in nearby if near.driver_id not in barred]
    candidates = await tx.drivers.lock_candidates(fresh, category=ride.category) if fresh else ()
    choice = choose(candidates, barred=barred, policy=policy)
    choice.dropped[Gate.BARRED] += len(nearby) - len(fresh)
    return choice


async def _send(
    tx: Tx, *, ride: Ride, chosen: Sequence[Candidate], radius_m: int, policy: SearchPolicy, now: datetime
) -> None:
    offered = ride.offer(policy, radius_m=radius_m, now=now)
    offers = [_offer(offered, candidate, policy=policy, now=now) for candidate in chosen]
    await tx.rides.save(offered)
    await tx.offers.open(offers)
    for offer in offers:
        await tx.publish(_offered(offered, offer), version=offered.version)


def _offer(ride: Ride, candidate: Candidate, *, policy: SearchPolicy, now: datetime) -> Offer:
    return Offer(
        id=new_id(),
        ride_id=ride.id,
        driver_id=candidate.driver_id,
        try_no=ride.search.try_no,
        wave=ride.search.wave,
        pickup_distance_m=candidate.distance_m,
        offered_at=now,
        expires_at=ride.search.offer_until(policy, now=now),
    )


def _may_be_asked_again(offers: Sequence[Offer]) -> bool:
    """Whether somebody merely did not answer: a new try may reach them."""
    return any(offer.response is OfferResponse.EXPIRED and not offer.excluded for offer in offers)


def _offered(ride: Ride, offer: Offer) -> RideOffered:
    return RideOffered(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        driver_id=offer.driver_id,
        wave=offer.wave,
        pickup_lat=ride.pickup.lat,
        pickup_lon=ride.pickup.lon,
        dropoff_lat=ride.dropoff.lat,
        dropoff_lon=ride.dropoff.lon,
        estimated_fare=ride.estimated_fare,
        pickup_distance_m=offer.pickup_distance_m,
        offered_at=offer.offered_at,
        expires_at=offer.expires_at,
    )
