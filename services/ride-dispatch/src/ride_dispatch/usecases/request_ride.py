from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from contracts.identity import VehicleCategory
from contracts.ride_dispatch import RideRequested
from kernel.refusals import NotYetKnown
from ride_dispatch.domain.driver import require_active
from ride_dispatch.domain.fare import Estimate, Tariff, estimate_fare
from ride_dispatch.domain.place import Place
from ride_dispatch.domain.quote import QuoteMismatch
from ride_dispatch.domain.ride import Ride, UnpaidRideExists
from ride_dispatch.domain.search import Search, SearchPolicy
from ride_dispatch.ports import Tx


async def request_ride(
    tx: Tx,
    *,
    id_: UUID,
    passenger_id: UUID,
    category: VehicleCategory,
    pickup: Place,
    dropoff: Place,
    quote_id: UUID | None,
    tariffs: Mapping[VehicleCategory, Tariff],
    policy: SearchPolicy,
    now: datetime,
    unpaid_blocks: bool = True,
) -> Ride:
    """A passenger asks for a ride; its search begins at once.

    `unpaid_blocks`: not while a driven ride is unpaid. Raises NotYetKnown, AccountNotActive, QuoteMismatch,
    QuoteExpired, ActiveRideExists, UnpaidRideExists.
    """
    profile = await tx.profiles.get(passenger_id)
    if profile is None:
        raise NotYetKnown
    require_active(profile)
    tariff, estimate = await _price(
        tx,
        passenger_id=passenger_id,
        category=category,
        pickup=pickup,
        dropoff=dropoff,
        quote_id=quote_id,
        tariffs=tariffs,
        now=now,
    )
    ride = Ride(
        id=id_,
        passenger_id=passenger_id,
        category=category,
        pickup=pickup,
        dropoff=dropoff,
        estimated_fare=estimate.fare,
        tariff=tariff,
        quote_id=quote_id,
        search=Search.begin(policy, now=now),
        created_at=now,
    ).seek()
    await tx.rides.add(ride)
    # After the insert, which waits for a ride that is ending at this moment.
    if unpaid_blocks and await tx.rides.owes(passenger_id):
        raise UnpaidRideExists
    await tx.publish(_requested(ride), version=ride.version)
    return ride


async def _price(
    tx: Tx,
    *,
    passenger_id: UUID,
    category: VehicleCategory,
    pickup: Place,
    dropoff: Place,
    quote_id: UUID | None,
    tariffs: Mapping[VehicleCategory, Tariff],
    now: datetime,
) -> tuple[Tariff, Estimate]:
    """The quote's tariff and price when there is one, today's otherwise."""
    if quote_id is None:
        tariff = tariffs[category]
        return tariff, estimate_fare(tariff, pickup=pickup, dropoff=dropoff)
    quote = await tx.quotes.get(quote_id)
    if quote is None:
        raise QuoteMismatch
    quote.require_fit(passenger_id=passenger_id, category=category, pickup=pickup, dropoff=dropoff, now=now)
    return quote.tariff, quote.estimate


def _requested(ride: Ride) -> RideRequested:
    return RideRequested(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        category=ride.category,
        pickup_lat=ride.pickup.lat,
        pickup_lon=ride.pickup.lon,
        dropoff_lat=ride.dropoff.lat,
        dropoff_lon=ride.dropoff.lon,
        estimated_fare=ride.estimated_fare,
        requested_at=ride.created_at,
    )
