"""request_ride, quote_ride, offer_ride, end_search, expire_offers."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from dispatch_builders import DROPOFF, NOW, PICKUP, POLICY, TARIFFS, a_profile, a_ride, an_offer
from dispatch_fakes import FakeTx

from contracts.identity import UserStatus, UserType, VehicleCategory
from contracts.ride_dispatch import OfferCanceled, OfferEnd, RideNoDriverFound, RideOffered, RideRequested
from contracts.ride_dispatch import RideStatus as S
from kernel.ids import new_id
from kernel.refusals import NotYetKnown
from ride_dispatch.domain.driver import AccountNotActive
from ride_dispatch.domain.matching import Gate, Near
from ride_dispatch.domain.offer import OfferResponse
from ride_dispatch.domain.quote import QuoteExpired, QuoteMismatch
from ride_dispatch.domain.ride import ActiveRideExists, Ride, UnpaidRideExists
from ride_dispatch.usecases.end_search import end_search
from ride_dispatch.usecases.expire_offers import expire_offers
from ride_dispatch.usecases.offer_ride import Wave, offer_ride
from ride_dispatch.usecases.quote_ride import quote_ride
from ride_dispatch.usecases.request_ride import request_ride


async def ask(tx: FakeTx, passenger_id: UUID, **changes: Any) -> Ride:
    values: dict[str, Any] = {
        "id_": new_id(),
        "passenger_id": passenger_id,
        "category": VehicleCategory.STANDARD,
        "pickup": PICKUP,
        "dropoff": DROPOFF,
        "quote_id": None,
        "tariffs": TARIFFS,
        "policy": POLICY,
        "now": NOW,
    }
    return await request_ride(tx, **(values | changes))


async def test_a_request_searches_at_once_and_says_so() -> None:
    tx = FakeTx()
    ride = await ask(tx, tx.put_passenger())

    assert ride.status is S.SEARCHING
    assert tx.rides.rows[ride.id] == ride
    [(fact, version)] = tx.published
    assert isinstance(fact, RideRequested)
    assert (fact.ride_id, version) == (ride.id, ride.version)


async def test_a_second_open_ride_is_refused() -> None:
    tx = FakeTx()
    passenger_id = tx.put_passenger()
    await ask(tx, passenger_id)
    with pytest.raises(ActiveRideExists):
        await ask(tx, passenger_id)


@pytest.mark.parametrize(
    ("status", "fare", "blocks", "refused"),
    [
        (S.COMPLETED, "20.00", True, True),
        (S.PAYMENT_PENDING, "20.00", True, True),
        (S.PAID, "20.00", True, False),
        (S.REFUNDED, "20.00", True, False),
        (S.COMPLETED, "0.00", True, False),
        (S.PAYMENT_PENDING, "20.00", False, False),
    ],
)
async def test_a_driven_and_unpaid_ride_blocks_the_next_request_unless_it_costs_nothing(
    status: S, fare: str, blocks: bool, refused: bool
) -> None:
    tx = FakeTx()
    passenger_id = tx.put_passenger()
    tx.put_ride(a_ride(status, passenger_id=passenger_id, final_fare=Decimal(fare)))
    if refused:
        with pytest.raises(UnpaidRideExists):
            await ask(tx, passenger_id, unpaid_blocks=blocks)
    else:
        assert (await ask(tx, passenger_id, unpaid_blocks=blocks)).status is S.SEARCHING
    assert (await ask(tx, tx.put_passenger())).passenger_id != passenger_id


async def test_an_unknown_or_inactive_passenger_is_refused() -> None:
    tx = FakeTx()
    suspended = a_profile(new_id(), UserType.PASSENGER, status=UserStatus.SUSPENDED)
    await tx.profiles.put(suspended)
    with pytest.raises(NotYetKnown):
        await ask(tx, new_id())
    with pytest.raises(AccountNotActive):
        await ask(tx, suspended.user_id)
    assert tx.published == []


async def test_a_quote_is_booked_at_its_own_tariff() -> None:
    tx = FakeTx()
    passenger_id = tx.put_passenger()
    quotes = await quote_ride(
        tx,
        passenger_id=passenger_id,
        pickup=PICKUP,
        dropoff=DROPOFF,
        first=VehicleCategory.XL,
        tariffs=TARIFFS,
        ttl_s=300,
        now=NOW,
    )
    assert [quote.category for quote in quotes][0] is VehicleCategory.XL  # noqa: RUF015
    dearer = {category: replace(tariff, base=tariff.base * 9) for category, tariff in TARIFFS.items()}
    booking: dict[str, Any] = {"category": VehicleCategory.XL, "quote_id": quotes[0].id, "tariffs": dearer}

    with pytest.raises(QuoteExpired):
        await ask(tx, passenger_id, **booking, now=NOW + timedelta(seconds=300))
    with pytest.raises(QuoteMismatch):
        await ask(tx, passenger_id, **(booking | {"quote_id": new_id()}))
    ride = await ask(tx, passenger_id, **booking)

    assert (ride.estimated_fare, ride.tariff) == (quotes[0].estimate.fare, quotes[0].tariff)


async def wave(tx: FakeTx, ride: Ride, drivers: list[UUID], **changes: Any) -> Wave | None:
    nearby = [Near(driver_id=driver_id, distance_m=100 + n) for n, driver_id in enumerate(drivers)]
    values: dict[str, Any] = {"nearby": nearby, "radius_m": 4000, "policy": POLICY, "now": NOW}
    return await offer_ride(tx, ride_id=ride.id, **(values | changes))


async def test_a_wave_offers_the_ride_to_the_nearest() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride())
    drivers = [tx.put_driver() for _ in range(POLICY.wave_size + 2)]

    done = await wave(tx, ride, drivers)

    assert done is not None
    assert done.offered == POLICY.wave_size
    assert done.dropped[Gate.BEYOND_WAVE] == 2
    facts = tx.facts(RideOffered)
    assert [fact.driver_id for fact in facts] == drivers[: POLICY.wave_size]
    assert {fact.wave for fact in facts} == {1}
    saved = tx.rides.rows[ride.id]
    assert (saved.status, saved.search.radius_m, saved.search.wave) == (S.OFFERED, 4000, 1)


async def test_a_further_wave_goes_to_others_only() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride())
    drivers = [tx.put_driver() for _ in range(POLICY.wave_size + 1)]
    await wave(tx, ride, drivers)

    done = await wave(tx, ride, drivers, now=NOW + timedelta(seconds=POLICY.wave_interval_s))

    assert done is not None
    assert (done.offered, done.dropped[Gate.BARRED]) == (1, POLICY.wave_size)
    assert tx.facts(RideOffered)[-1].driver_id == drivers[-1]


@pytest.mark.parametrize("status", sorted(set(S) - {S.SEARCHING, S.OFFERED}))
async def test_no_wave_goes_out_for_a_ride_that_is_not_searched(status: S) -> None:
    tx = FakeTx()
    assert await wave(tx, tx.put_ride(a_ride(status)), [tx.put_driver()]) is None


async def test_no_wave_goes_out_before_its_time_or_beside_another_process() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride())
    assert await wave(tx, ride, [tx.put_driver()], now=NOW - timedelta(seconds=1)) is None
    tx.rides.taken.add(ride.id)
    assert await wave(tx, ride, [tx.put_driver()]) is None
    assert tx.published == []


async def test_a_busy_or_absent_driver_is_reported_as_gone() -> None:
    tx = FakeTx()
    busy, offline = tx.put_driver(current_ride_id=new_id()), tx.put_driver(online=False)

    done = await wave(tx, tx.put_ride(a_ride()), [busy, offline])

    assert done is not None
    assert done.offered == 0
    assert set(done.gone) == {busy, offline}


async def test_a_pool_that_did_not_answer_is_asked_again_in_a_new_try() -> None:
    tx = FakeTx()
    ride, driver_id = tx.put_ride(a_ride()), tx.put_driver()
    await wave(tx, ride, [driver_id])
    later = NOW + timedelta(seconds=POLICY.offer_ttl_s)
    await expire_offers(tx, ride_id=ride.id, now=later)

    empty = await wave(tx, ride, [driver_id], now=later)
    again = await wave(tx, ride, [driver_id], now=later + timedelta(seconds=POLICY.wave_interval_s))

    assert empty is not None
    assert again is not None
    assert (empty.offered, again.offered) == (0, 1)
    assert tx.offers.rows[ride.id, driver_id].try_no == 2


async def test_a_driver_who_said_no_is_never_asked_again() -> None:
    tx = FakeTx()
    ride, driver_id = tx.put_ride(a_ride()), tx.put_driver()
    tx.offers.put(an_offer(ride, driver_id, response=OfferResponse.REJECTED))

    await wave(tx, ride, [driver_id])

    assert tx.rides.rows[ride.id].search.try_no == 1
    assert tx.published == []


async def test_an_expired_offer_sends_the_ride_back_only_when_it_was_the_last() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.OFFERED))
    first, second = tx.put_driver(), tx.put_driver()
    late = NOW + timedelta(minutes=1)
    tx.offers.put(an_offer(ride, first), an_offer(ride, second, expires_at=late))
    soon = NOW + timedelta(seconds=20)

    assert await expire_offers(tx, ride_id=ride.id, now=soon) == 1
    assert tx.rides.rows[ride.id].status is S.OFFERED
    assert await expire_offers(tx, ride_id=ride.id, now=late) == 1
    assert tx.rides.rows[ride.id].status is S.SEARCHING

    assert {fact.reason for fact in tx.facts(OfferCanceled)} == {OfferEnd.EXPIRED}
    tx.rides.taken.add(ride.id)
    assert await expire_offers(tx, ride_id=ride.id, now=late) == 0


async def test_the_offer_of_a_driver_who_took_another_ride_ends() -> None:
    tx = FakeTx()
    ride, driver_id = tx.put_ride(a_ride(S.OFFERED)), tx.put_driver(current_ride_id=new_id())
    tx.offers.put(an_offer(ride, driver_id))
    assert await expire_offers(tx, ride_id=ride.id, now=NOW) == 1


@pytest.mark.parametrize("status", [S.SEARCHING, S.OFFERED])
async def test_a_search_ends_with_nobody_when_its_time_is_over(status: S) -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(status))
    tx.offers.put(an_offer(ride, tx.put_driver(), expires_at=NOW + timedelta(hours=1)))

    assert await end_search(tx, ride_id=ride.id, now=NOW) is None
    ended = await end_search(tx, ride_id=ride.id, now=ride.search.ends_at)

    assert ended is not None
    assert ended.status is S.NO_DRIVER_FOUND
    [fact] = tx.facts(RideNoDriverFound)
    assert fact.searched_s == POLICY.search_ttl_s
    assert len(tx.facts(OfferCanceled)) == (1 if status is S.OFFERED else 0)


@pytest.mark.parametrize("status", sorted(set(S) - {S.SEARCHING, S.OFFERED}))
async def test_only_a_search_is_ended(status: S) -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(status))
    assert await end_search(tx, ride_id=ride.id, now=ride.search.ends_at) is None
