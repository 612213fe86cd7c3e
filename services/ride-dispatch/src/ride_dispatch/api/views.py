"""What comes in and what goes out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from contracts.base import Money
from contracts.identity import VehicleCategory
from contracts.ride_dispatch import CanceledBy, CancelReason, DriverCard, RideStatus
from ride_dispatch.domain.driver import DriverState, DriverStatus
from ride_dispatch.domain.location import Point
from ride_dispatch.domain.place import Place
from ride_dispatch.domain.quote import Quote
from ride_dispatch.domain.rating import Rating
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import OpenOffer
from web import Body, View

# Strict: "1" and true are no numbers.
Lat = Annotated[float, Field(strict=True, ge=-90, le=90)]
Lon = Annotated[float, Field(strict=True, ge=-180, le=180)]
Tag = Annotated[str, Field(min_length=1, max_length=40)]
MAX_POINTS = 200


class TripRequest(Body):
    pickup_lat: Lat
    pickup_lon: Lon
    dropoff_lat: Lat
    dropoff_lon: Lon

    @model_validator(mode="after")
    def refuse_null_island(self) -> Self:
        """0/0 is what a phone without a fix sends; a zero alone is the equator, where Macapá lies."""
        for lat, lon in ((self.pickup_lat, self.pickup_lon), (self.dropoff_lat, self.dropoff_lon)):
            if lat == 0 and lon == 0:
                raise PydanticCustomError("invalid_coordinates", "0/0 is no place")
        return self

    def pickup(self) -> Place:
        return Place(lat=self.pickup_lat, lon=self.pickup_lon)

    def dropoff(self) -> Place:
        return Place(lat=self.dropoff_lat, lon=self.dropoff_lon)


class QuoteRequest(TripRequest):
    category: VehicleCategory | None = None


class RideRequest(TripRequest):
    category: VehicleCategory
    quote_id: UUID | None = None


class AcceptRequest(Body):
    idempotency_key: Annotated[str, Field(min_length=1, max_length=255)] | None = None


class CompleteRequest(Body):
    distance_m: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None


class CancelRequest(Body):
    reason: CancelReason
    comment: Annotated[str, Field(max_length=500)] | None = None


class RatingRequest(Body):
    stars: Annotated[int, Field(strict=True, ge=1, le=5)]
    tags: Annotated[tuple[Tag, ...], Field(max_length=10)] = ()
    comment: Annotated[str, Field(max_length=500)] | None = None


class AvailabilityRequest(Body):
    online: StrictBool


class PointRequest(Body):
    lat: Lat
    lon: Lon
    accuracy_m: Annotated[float, Field(strict=True, ge=0)] | None = None
    heading_deg: Annotated[float, Field(strict=True, ge=0, le=360)] | None = None
    speed_mps: Annotated[float, Field(strict=True, ge=0)] | None = None
    recorded_at: AwareDatetime | None = None

    def point(self, *, now: datetime) -> Point:
        """A point without a time was recorded now."""
        return Point(
            place=Place(lat=self.lat, lon=self.lon),
            recorded_at=self.recorded_at or now,
            accuracy_m=self.accuracy_m,
            heading_deg=self.heading_deg,
            speed_mps=self.speed_mps,
        )


class PointsRequest(Body):
    points: Annotated[list[PointRequest], Field(min_length=1, max_length=MAX_POINTS)]


class AcceptedPoints(View):
    """How many of the points were believed."""

    accepted: int


class Availability(View):
    online: bool
    status: DriverStatus

    @classmethod
    def of(cls, state: DriverState) -> Self:
        return cls(online=state.online, status=state.status)


class QuoteView(View):
    quote_id: UUID
    category: VehicleCategory
    fare: Money
    surge: Money
    expires_at: datetime
    duration_s: int
    distance_m: int

    @classmethod
    def of(cls, quote: Quote) -> Self:
        return cls(
            quote_id=quote.id,
            category=quote.category,
            fare=quote.estimate.fare,
            surge=quote.tariff.surge,
            expires_at=quote.expires_at,
            duration_s=quote.estimate.duration_s,
            distance_m=quote.estimate.distance_m,
        )


class Quotes(View):
    quotes: list[QuoteView]

    @classmethod
    def of(cls, quotes: Sequence[Quote]) -> Self:
        return cls(quotes=[QuoteView.of(quote) for quote in quotes])


class OfferView(View):
    ride_id: UUID
    offered_at: datetime
    expires_at: datetime
    pickup_lat: float
    pickup_lon: float
    dropoff_lat: float
    dropoff_lon: float
    estimated_fare: Money
    pickup_distance_m: int

    @classmethod
    def of(cls, found: OpenOffer) -> Self:
        return cls(
            ride_id=found.ride.id,
            offered_at=found.offer.offered_at,
            expires_at=found.offer.expires_at,
            pickup_lat=found.ride.pickup.lat,
            pickup_lon=found.ride.pickup.lon,
            dropoff_lat=found.ride.dropoff.lat,
            dropoff_lon=found.ride.dropoff.lon,
            estimated_fare=found.ride.estimated_fare,
            pickup_distance_m=found.offer.pickup_distance_m,
        )


class RideView(View):
    """`ride_id` repeats `id`. `driver` is there from the accept on."""

    id: UUID
    ride_id: UUID
    status: RideStatus
    version: int
    category: VehicleCategory
    passenger_id: UUID
    driver_id: UUID | None
    pickup_lat: float
    pickup_lon: float
    dropoff_lat: float
    dropoff_lon: float
    estimated_fare: Money
    final_fare: Money | None
    created_at: datetime
    accepted_at: datetime | None
    arrived_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    paid_at: datetime | None
    canceled_at: datetime | None
    canceled_by: CanceledBy | None
    cancel_reason: CancelReason | None
    driver: DriverCard | None

    @classmethod
    def of(cls, ride: Ride) -> Self:
        return cls(
            id=ride.id,
            ride_id=ride.id,
            status=ride.status,
            version=ride.version,
            category=ride.category,
            passenger_id=ride.passenger_id,
            driver_id=ride.driver_id,
            pickup_lat=ride.pickup.lat,
            pickup_lon=ride.pickup.lon,
            dropoff_lat=ride.dropoff.lat,
            dropoff_lon=ride.dropoff.lon,
            estimated_fare=ride.estimated_fare,
            final_fare=ride.final_fare,
            created_at=ride.created_at,
            accepted_at=ride.accepted_at,
            arrived_at=ride.arrived_at,
            started_at=ride.started_at,
            completed_at=ride.completed_at,
            paid_at=ride.paid_at,
            canceled_at=ride.canceled_at,
            canceled_by=ride.canceled_by,
            cancel_reason=ride.cancel_reason,
            driver=ride.driver_card,
        )


class RatingView(View):
    id: UUID
    ride_id: UUID
    stars: int
    tags: tuple[str, ...]
    comment: str | None
    created_at: datetime

    @classmethod
    def of(cls, rating: Rating) -> Self:
        return cls.model_validate(rating)
