"""Drivers, offers, quotes and ratings."""

from datetime import timedelta
from typing import Any

import pytest
from dispatch_builders import DROPOFF, NOW, PICKUP, TARIFF, a_profile, a_ride, an_offer

from contracts.identity import ApprovalStatus, UserStatus, UserType, Vehicle, VehicleCategory
from contracts.ride_dispatch import CanceledBy, RideStatus
from kernel.ids import new_id
from kernel.refusals import NotFound, Refusal
from ride_dispatch.domain.driver import (
    AccountNotActive,
    DriverNotApproved,
    DriverState,
    DriverStatus,
    active_vehicle,
    card_of,
    require_active_driver,
    served_category,
)
from ride_dispatch.domain.offer import OfferResponse
from ride_dispatch.domain.place import Place
from ride_dispatch.domain.quote import Quote, QuoteExpired, QuoteMismatch
from ride_dispatch.domain.rating import Rating, RideNotRatable
from ride_dispatch.domain.ride import FINISHED, Ride


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"status": UserStatus.SUSPENDED}, AccountNotActive),
        ({"status": UserStatus.BANNED}, AccountNotActive),
        ({"approval_status": ApprovalStatus.PENDING}, DriverNotApproved),
        ({"approval_status": ApprovalStatus.REJECTED}, DriverNotApproved),
        ({"user_type": UserType.PASSENGER}, DriverNotApproved),
    ],
)
def test_only_active_and_approved_drivers_drive(changes: dict[str, Any], refusal: type[Refusal]) -> None:
    profile = a_profile(new_id(), **changes)
    with pytest.raises(refusal):
        require_active_driver(profile)
    assert served_category(profile) is None


def test_an_approved_driver_may_drive() -> None:
    profile = a_profile(new_id())
    require_active_driver(profile)
    assert served_category(profile) is VehicleCategory.STANDARD


def a_car(category: VehicleCategory, status: str) -> Vehicle:
    return Vehicle(
        vehicle_id=new_id(),
        license_plate="ABC1234",
        brand="VW",
        model="Gol",
        year=2020,
        category=category,
        status=status,
    )


def test_a_driver_is_on_the_road_with_the_newest_active_car() -> None:
    cars = (
        a_car(VehicleCategory.XL, "active"),
        a_car(VehicleCategory.COMFORT, "active"),
        a_car(VehicleCategory.PREMIUM, "inactive"),
    )
    profile = a_profile(new_id(), vehicles=cars)
    assert active_vehicle(profile) == cars[1]
    assert served_category(profile) is VehicleCategory.COMFORT
    assert card_of(profile).vehicle == cars[1]
    walking = a_profile(new_id(), vehicles=())
    assert (active_vehicle(walking), served_category(walking)) == (None, None)


@pytest.mark.parametrize(
    ("online", "on_ride", "status"),
    [
        (True, False, DriverStatus.AVAILABLE),
        (False, False, DriverStatus.OFFLINE),
        (True, True, DriverStatus.ON_TRIP),
        (False, True, DriverStatus.ON_TRIP),
    ],
)
def test_a_drivers_status_follows_duty_and_trip(online: bool, on_ride: bool, status: DriverStatus) -> None:
    state = DriverState(driver_id=new_id(), online=online, current_ride_id=new_id() if on_ride else None)
    assert state.status is status


def test_an_offer_is_open_until_answered_or_over() -> None:
    offer = an_offer(a_ride(), new_id())
    assert offer.is_open(now=NOW)
    assert not offer.is_open(now=offer.expires_at)
    answered = offer.answer(OfferResponse.REJECTED, now=NOW)
    assert not answered.is_open(now=NOW)
    assert (answered.response, answered.responded_at) == (OfferResponse.REJECTED, NOW)


@pytest.mark.parametrize(
    ("changes", "try_no", "barred"),
    [
        ({}, 1, True),
        ({}, 2, False),
        ({"response": OfferResponse.EXPIRED}, 1, True),
        ({"response": OfferResponse.EXPIRED}, 2, False),
        ({"response": OfferResponse.WITHDRAWN}, 2, False),
        ({"response": OfferResponse.REJECTED}, 2, True),
        ({"response": OfferResponse.ACCEPTED, "excluded": True}, 2, True),
    ],
)
def test_an_offer_bars_its_driver_from_this_try_or_for_good(
    changes: dict[str, Any], try_no: int, barred: bool
) -> None:
    assert an_offer(a_ride(), new_id(), **changes).bars(try_no=try_no) is barred


PASSENGER = new_id()
NEARBY = Place(lat=PICKUP.lat + 0.01, lon=PICKUP.lon)
EASTWARD = Place(lat=DROPOFF.lat, lon=DROPOFF.lon + 0.01)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"now": NOW + timedelta(minutes=5)}, QuoteExpired),
        ({"passenger_id": new_id()}, QuoteMismatch),
        ({"category": VehicleCategory.XL}, QuoteMismatch),
        ({"pickup": NEARBY}, QuoteMismatch),
        ({"dropoff": EASTWARD}, QuoteMismatch),
    ],
)
def test_a_quote_fits_its_own_trip_in_its_time(
    changes: dict[str, Any], refusal: type[Refusal] | None
) -> None:
    trip: dict[str, Any] = {
        "passenger_id": PASSENGER,
        "category": VehicleCategory.STANDARD,
        "pickup": PICKUP,
        "dropoff": DROPOFF,
    }
    quote = Quote.of(TARIFF, id_=new_id(), expires_at=NOW + timedelta(minutes=5), **trip)
    asked = trip | {"now": NOW} | changes
    if refusal is None:
        quote.require_fit(**asked)
    else:
        with pytest.raises(refusal):
            quote.require_fit(**asked)


def rate(ride: Ride, rater_id: Any) -> Rating:
    return Rating.of(ride, id_=new_id(), rater_id=rater_id, stars=5, tags=(), comment=None, now=NOW)


def test_each_side_rates_the_other() -> None:
    ride = a_ride(RideStatus.PAID)
    by_passenger, by_driver = rate(ride, ride.passenger_id), rate(ride, ride.driver_id)
    assert (by_passenger.rated_by, by_passenger.rated_id) == (CanceledBy.PASSENGER, ride.driver_id)
    assert (by_driver.rated_by, by_driver.rated_id) == (CanceledBy.DRIVER, ride.passenger_id)
    with pytest.raises(NotFound):
        rate(ride, new_id())


@pytest.mark.parametrize("status", sorted(set(RideStatus) - FINISHED))
def test_only_a_finished_ride_is_rated(status: RideStatus) -> None:
    ride = a_ride(status)
    with pytest.raises(RideNotRatable):
        rate(ride, ride.passenger_id)
