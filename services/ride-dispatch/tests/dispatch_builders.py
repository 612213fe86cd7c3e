"""Builders of the nouns, and the moment and places that tests share."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.identity import ApprovalStatus, Profile, UserStatus, UserType, Vehicle, VehicleCategory
from contracts.ride_dispatch import RideStatus
from kernel.ids import new_id
from ride_dispatch.domain.fare import Tariff
from ride_dispatch.domain.offer import Offer
from ride_dispatch.domain.place import Place
from ride_dispatch.domain.ride import DRIVEN, Ride
from ride_dispatch.domain.search import Search, SearchPolicy

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
PICKUP = Place(lat=-23.5614, lon=-46.6559)
DROPOFF = Place(lat=-23.5874, lon=-46.6576)
TARIFF = Tariff(
    base=Decimal("3.50"),
    per_km=Decimal("1.60"),
    per_minute=Decimal("0.28"),
    minimum=Decimal("7.50"),
    commission_bps=2000,
)
FREE = replace(TARIFF, base=Decimal(0), per_km=Decimal(0), per_minute=Decimal(0), minimum=Decimal(0))
TARIFFS = dict.fromkeys(VehicleCategory, TARIFF)
POLICY = SearchPolicy()


def a_profile(user_id: UUID, user_type: UserType = UserType.DRIVER, **changes: Any) -> Profile:
    """An active user; a driver is approved, with a standard car."""
    is_driver = user_type is UserType.DRIVER
    vehicle = Vehicle(
        vehicle_id=new_id(),
        license_plate="ABC1D23",
        brand="Fiat",
        model="Argo",
        year=2024,
        category=VehicleCategory.STANDARD,
    )
    values: dict[str, Any] = {
        "user_id": user_id,
        "version": 1,
        "user_type": user_type,
        "status": UserStatus.ACTIVE,
        "full_name": "Ana Souza",
        "approval_status": ApprovalStatus.APPROVED if is_driver else None,
        "vehicles": (vehicle,) if is_driver else (),
        "updated_at": NOW,
    }
    return Profile(**(values | changes))


def a_ride(status: RideStatus = RideStatus.SEARCHING, **changes: Any) -> Ride:
    """A ride in `status`, with what a ride in it has."""
    values: dict[str, Any] = {
        "id": new_id(),
        "passenger_id": new_id(),
        "category": VehicleCategory.STANDARD,
        "pickup": PICKUP,
        "dropoff": DROPOFF,
        "estimated_fare": Decimal("12.00"),
        "tariff": TARIFF,
        "search": Search.begin(POLICY, now=NOW),
        "created_at": NOW,
        "status": status,
        "version": 3,
    }
    if status in DRIVEN or status in PAYABLE:
        values["driver_id"] = new_id()
    if status is RideStatus.IN_PROGRESS or status in PAYABLE:
        values["started_at"] = NOW
    if status in PAYABLE:
        values["final_fare"] = Decimal("12.00")
    return Ride(**(values | changes))


PAYABLE = frozenset({RideStatus.COMPLETED, RideStatus.PAYMENT_PENDING, RideStatus.PAID, RideStatus.REFUNDED})


def an_offer(ride: Ride, driver_id: UUID, **changes: Any) -> Offer:
    values: dict[str, Any] = {
        "id": new_id(),
        "ride_id": ride.id,
        "driver_id": driver_id,
        "try_no": ride.search.try_no,
        "wave": 1,
        "pickup_distance_m": 300,
        "offered_at": NOW,
        "expires_at": NOW + timedelta(seconds=15),
    }
    return Offer(**(values | changes))
