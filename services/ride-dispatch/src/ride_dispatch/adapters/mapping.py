"""Between rows and nouns."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

from asyncpg import Record
from sqlalchemy import RowMapping

from contracts.identity import VehicleCategory
from contracts.ride_dispatch import CanceledBy, CancelReason, DriverCard, RideStatus
from ride_dispatch.domain.fare import Estimate, Tariff
from ride_dispatch.domain.offer import Offer, OfferResponse
from ride_dispatch.domain.place import Place
from ride_dispatch.domain.quote import Quote
from ride_dispatch.domain.ride import Ride
from ride_dispatch.domain.search import Search

PLAIN_RIDE_FIELDS: Final = (
    "id",
    "passenger_id",
    "driver_id",
    "version",
    "quote_id",
    "estimated_fare",
    "final_fare",
    "commission",
    "distance_m",
    "duration_s",
    "created_at",
    "accepted_at",
    "arrived_at",
    "started_at",
    "completed_at",
    "payment_pending_at",
    "paid_at",
    "refunded_at",
    "canceled_at",
    "ended_at",
    "cancel_comment",
)
OFFER_FIELDS: Final = tuple(field.name for field in fields(Offer))


def ride_row(ride: Ride) -> dict[str, Any]:
    """Every column of `rides` but `updated_at`."""
    plain = {name: getattr(ride, name) for name in PLAIN_RIDE_FIELDS}
    return plain | {
        "status": ride.status,
        "category": ride.category,
        "commission_bps": ride.tariff.commission_bps,
        "tariff": tariff_json(ride.tariff),
        "driver_card": ride.driver_card.model_dump(mode="json") if ride.driver_card else None,
        "canceled_by": ride.canceled_by,
        "cancel_reason": ride.cancel_reason,
        **trip_row(pickup=ride.pickup, dropoff=ride.dropoff),
        **search_row(ride.search),
    }


def ride_of(row: RowMapping | Record) -> Ride:
    card = row["driver_card"]
    return Ride(
        **{name: row[name] for name in PLAIN_RIDE_FIELDS},
        status=RideStatus(row["status"]),
        category=VehicleCategory(row["category"]),
        pickup=place_of(row, "pickup"),
        dropoff=place_of(row, "dropoff"),
        tariff=tariff_of(row["tariff"]),
        search=search_of(row),
        driver_card=DriverCard.model_validate(card) if card else None,
        canceled_by=CanceledBy(row["canceled_by"]) if row["canceled_by"] else None,
        cancel_reason=CancelReason(row["cancel_reason"]) if row["cancel_reason"] else None,
    )


def search_row(search: Search) -> dict[str, Any]:
    return {
        "try_no": search.try_no,
        "wave": search.wave,
        "radius_m": search.radius_m,
        "search_started_at": search.started_at,
        "search_ends_at": search.ends_at,
        "next_wave_at": search.next_wave_at,
    }


def search_of(row: RowMapping | Record) -> Search:
    return Search(
        try_no=row["try_no"],
        wave=row["wave"],
        radius_m=row["radius_m"],
        started_at=row["search_started_at"],
        ends_at=row["search_ends_at"],
        next_wave_at=row["next_wave_at"],
    )


def trip_row(*, pickup: Place, dropoff: Place) -> dict[str, Decimal]:
    return {
        "pickup_lat": degrees_of(pickup.lat),
        "pickup_lon": degrees_of(pickup.lon),
        "dropoff_lat": degrees_of(dropoff.lat),
        "dropoff_lon": degrees_of(dropoff.lon),
    }


def degrees_of(value: float) -> Decimal:
    """As the columns keep it: eight decimals, about a millimetre."""
    return Decimal(f"{value:.8f}")


def place_of(row: RowMapping | Record, prefix: str) -> Place:
    return Place(lat=float(row[f"{prefix}_lat"]), lon=float(row[f"{prefix}_lon"]))


def tariff_json(tariff: Tariff) -> dict[str, Any]:
    """Decimals as text: a JSON number would not keep their cents."""
    values = {field.name: getattr(tariff, field.name) for field in fields(Tariff)}
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def tariff_of(stored: dict[str, Any]) -> Tariff:
    known = {field.name for field in fields(Tariff)}
    values: dict[str, Any] = {name: value for name, value in stored.items() if name in known}
    exact: dict[str, Any] = {n: Decimal(value) for n, value in values.items() if isinstance(value, str)}
    return Tariff(**(values | exact))


def offer_row(offer: Offer) -> dict[str, Any]:
    return {name: getattr(offer, name) for name in OFFER_FIELDS}


def offer_of(row: Mapping[str, Any] | RowMapping) -> Offer:
    response = row["response"]
    values = {name: row[name] for name in OFFER_FIELDS if name != "response"}
    return Offer(**values, response=OfferResponse(response) if response else None)


def quote_row(quote: Quote) -> dict[str, Any]:
    return {
        "id": quote.id,
        "passenger_id": quote.passenger_id,
        "category": quote.category,
        "fare": quote.estimate.fare,
        "distance_m": quote.estimate.distance_m,
        "duration_s": quote.estimate.duration_s,
        "tariff": tariff_json(quote.tariff),
        "expires_at": quote.expires_at,
        **trip_row(pickup=quote.pickup, dropoff=quote.dropoff),
    }


def quote_of(row: RowMapping) -> Quote:
    return Quote(
        id=row["id"],
        passenger_id=row["passenger_id"],
        category=VehicleCategory(row["category"]),
        pickup=place_of(row, "pickup"),
        dropoff=place_of(row, "dropoff"),
        estimate=Estimate(fare=row["fare"], distance_m=row["distance_m"], duration_s=row["duration_s"]),
        tariff=tariff_of(row["tariff"]),
        expires_at=row["expires_at"],
    )
