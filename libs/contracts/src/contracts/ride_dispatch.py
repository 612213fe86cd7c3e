"""Facts that ride-dispatch publishes."""

from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import Field

from contracts.base import Fact, Model, Money, Time
from contracts.identity import Vehicle, VehicleCategory
from contracts.topics import LOCATIONS, RIDES


class RideStatus(StrEnum):
    """The 12 states of a ride."""

    REQUESTED = "REQUESTED"
    SEARCHING = "SEARCHING"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    DRIVER_ARRIVED = "DRIVER_ARRIVED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    PAYMENT_PENDING = "PAYMENT_PENDING"
    PAID = "PAID"
    REFUNDED = "REFUNDED"
    CANCELED = "CANCELED"
    NO_DRIVER_FOUND = "NO_DRIVER_FOUND"


class CanceledBy(StrEnum):
    PASSENGER = "passenger"
    DRIVER = "driver"
    SYSTEM = "system"


class CancelReason(StrEnum):
    CHANGED_MIND = "changed_mind"
    DRIVER_LATE = "driver_late"
    WRONG_ADDRESS = "wrong_address"
    PASSENGER_NO_SHOW = "passenger_no_show"
    VEHICLE_PROBLEM = "vehicle_problem"
    SAFETY = "safety"
    OTHER = "other"


class OfferEnd(StrEnum):
    """Why an offer was withdrawn."""

    TAKEN = "taken"
    EXPIRED = "expired"
    RIDE_CANCELED = "ride_canceled"
    DRIVER_GONE = "driver_gone"


class DriverCard(Model):
    """What the passenger sees of the driver."""

    full_name: str
    average_rating: Decimal | None = None
    vehicle: Vehicle | None = None


class RideFact(Fact):
    topic = RIDES
    key_field = "ride_id"
    ride_id: UUID


class RideRequested(RideFact):
    fact = "ride.requested"
    passenger_id: UUID
    category: VehicleCategory
    pickup_lat: float
    pickup_lon: float
    dropoff_lat: float
    dropoff_lon: float
    estimated_fare: Money
    requested_at: Time


class RideOffered(RideFact):
    """One driver was offered the ride; one fact a driver and wave."""

    fact = "ride.offered"
    passenger_id: UUID
    driver_id: UUID
    wave: int = Field(ge=1)
    pickup_lat: float
    pickup_lon: float
    dropoff_lat: float
    dropoff_lon: float
    estimated_fare: Money
    pickup_distance_m: int
    offered_at: Time
    expires_at: Time


class OfferCanceled(RideFact):
    fact = "offer.canceled"
    driver_id: UUID
    reason: OfferEnd
    canceled_at: Time


class RideAccepted(RideFact):
    fact = "ride.accepted"
    passenger_id: UUID
    driver_id: UUID
    driver: DriverCard
    accepted_at: Time


class RideDriverArrived(RideFact):
    fact = "ride.driver_arrived"
    passenger_id: UUID
    driver_id: UUID
    arrived_at: Time


class RideStarted(RideFact):
    fact = "ride.started"
    passenger_id: UUID
    driver_id: UUID
    started_at: Time


class RideCompleted(RideFact):
    """The ride ended; `commission` is the platform's share of `final_fare`, frozen at the request's rate."""

    fact = "ride.completed"
    passenger_id: UUID
    driver_id: UUID
    category: VehicleCategory
    final_fare: Money
    commission: Money
    commission_bps: int
    distance_m: int
    duration_s: int
    completed_at: Time


class RidePaymentPending(RideFact):
    fact = "ride.payment_pending"
    passenger_id: UUID
    driver_id: UUID
    amount: Money
    pending_at: Time


class RidePaid(RideFact):
    fact = "ride.paid"
    passenger_id: UUID
    driver_id: UUID
    amount: Money
    paid_at: Time


class RideRefunded(RideFact):
    fact = "ride.refunded"
    passenger_id: UUID
    driver_id: UUID
    amount: Money
    refunded_at: Time


class RideCanceled(RideFact):
    fact = "ride.canceled"
    passenger_id: UUID
    driver_id: UUID | None = None
    canceled_by: CanceledBy
    reason: CancelReason
    previous_status: RideStatus
    canceled_at: Time


class RideNoDriverFound(RideFact):
    fact = "ride.no_driver_found"
    passenger_id: UUID
    searched_s: int
    ended_at: Time


class RideReassigning(RideFact):
    """The driver gave up; the search goes on without them."""

    fact = "ride.reassigning"
    passenger_id: UUID
    driver_id: UUID
    reason: CancelReason
    reassigning_at: Time


class RideRated(RideFact):
    fact = "ride.rated"
    rater_id: UUID
    rated_id: UUID
    rated_by: CanceledBy
    stars: int = Field(ge=1, le=5)
    tags: tuple[str, ...] = ()
    rated_at: Time


class DriverLocationUpdated(Fact):
    """Lossy. `ride_id` and `passenger_id` are set only from ACCEPTED to IN_PROGRESS."""

    fact = "driver.location.updated"
    topic = LOCATIONS
    key_field = "driver_id"
    driver_id: UUID
    lat: float
    lon: float
    accuracy_m: float | None = None
    heading_deg: float | None = None
    speed_mps: float | None = None
    recorded_at: Time
    ride_id: UUID | None = None
    passenger_id: UUID | None = None


FACTS: Final[tuple[type[Fact], ...]] = (
    RideRequested,
    RideOffered,
    OfferCanceled,
    RideAccepted,
    RideDriverArrived,
    RideStarted,
    RideCompleted,
    RidePaymentPending,
    RidePaid,
    RideRefunded,
    RideCanceled,
    RideNoDriverFound,
    RideReassigning,
    RideRated,
    DriverLocationUpdated,
)
