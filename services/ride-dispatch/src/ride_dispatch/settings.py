"""What a deployment of ride-dispatch decides. Read once, by main."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from contracts.identity import VehicleCategory
from messaging import KafkaSettings
from storage import DatabaseSettings
from telemetry import TelemetrySettings
from web import WebSettings


class Price(BaseModel):
    """One category's prices in BRL."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: Decimal = Field(ge=0)
    per_km: Decimal = Field(ge=0)
    per_minute: Decimal = Field(ge=0)
    minimum: Decimal = Field(ge=0)


def _price(base: str, per_km: str, per_minute: str, minimum: str) -> Price:
    return Price(
        base=Decimal(base), per_km=Decimal(per_km), per_minute=Decimal(per_minute), minimum=Decimal(minimum)
    )


PRICES: Final[Mapping[VehicleCategory, Price]] = {
    VehicleCategory.STANDARD: _price("3.50", "1.60", "0.28", "7.50"),
    VehicleCategory.COMFORT: _price("4.50", "1.95", "0.34", "9.00"),
    VehicleCategory.PREMIUM: _price("6.50", "2.90", "0.50", "15.00"),
    VehicleCategory.XL: _price("5.50", "2.40", "0.42", "12.00"),
}


class Settings(WebSettings, DatabaseSettings, KafkaSettings, TelemetrySettings):
    """Times in seconds, distances in metres, speeds in metres a second, rates in basis points."""

    # A burst of accepts of one ride waits for its row, one after the other.
    database_pool_timeout_s: float = Field(default=10.0, gt=0)
    """How long work waits for a connection."""
    # A position reads one row, dozens of times a second, and its app sends the next one soon.
    database_ask_after_idle_s: float = Field(default=1.0, ge=0)
    """A connection that lay idle so long is asked whether it lives before it is used; 0: always."""

    offer_ttl_s: float = Field(default=15.0, gt=0)
    """Life of an offer."""
    offer_min_s: float = Field(default=1.0, ge=0)
    """Least time that a driver must have left to answer."""
    wave_size: int = Field(default=5, ge=1)
    """Drivers who are offered a ride at once."""
    wave_interval_s: float = Field(default=4.0, gt=0)
    """Time between two waves."""
    inflight_cap: int = Field(default=2, ge=1)
    """Open offers a driver."""
    radius_m: int = Field(default=2000, ge=1)
    """First search circle."""
    radius_step_m: int = Field(default=2000, ge=1)
    """By how much it grows while it cannot fill a wave."""
    max_radius_m: int = Field(default=8000, ge=1)
    """Widest search circle."""
    search_ttl_s: float = Field(default=120.0, gt=0)
    """How long a driver is searched for."""
    presence_ttl_s: float = Field(default=120.0, gt=0)
    """How long a driver's last position counts."""
    dispatch_poll_s: float = Field(default=0.2, gt=0)
    """How often due searches are looked for."""

    prices: Mapping[VehicleCategory, Price] = PRICES
    """Base, per_km, per_minute and minimum of each category, in BRL."""
    commission_bps: int = Field(default=2000, ge=0, le=10_000)
    """The platform's share, in basis points; frozen into the ride."""
    surge: Decimal = Field(default=Decimal("1.00"), ge=0)
    """Multiplier of every fare."""
    road_factor: float = Field(default=1.3, ge=1)
    """How much longer than the straight line the road is taken to be."""
    cruise_mps: float = Field(default=7.0, gt=0)
    """Speed that durations are estimated with."""
    path_floor: float = Field(default=0.5, ge=0, le=1)
    """A recorded path counts from so many straight lines,"""
    path_ceiling: float = Field(default=3.0, ge=1)
    """up to so many,"""
    path_slack_m: int = Field(default=2000, ge=0)
    """and so many metres more."""
    time_ceiling: float = Field(default=4.0, ge=1)
    """A duration counts up to so many expected ones,"""
    time_slack_s: int = Field(default=900, ge=0)
    """and so many seconds more."""
    quote_ttl_s: float = Field(default=300.0, gt=0)
    """Life of a quote."""

    unpaid_ride_blocks: bool = True
    """Whether a passenger with an unpaid ride can ask for no other."""

    location_max_accuracy_m: float = Field(default=50.0, gt=0)
    """Less accurate points are dropped."""
    location_max_age_s: float = Field(default=120.0, gt=0)
    """Older points are dropped."""
    location_min_interval_s: float = Field(default=0.2, ge=0)
    """More frequent points are dropped."""
    location_max_speed_mps: float = Field(default=70.0, gt=0)
    """Faster points are dropped, unless the next one confirms them."""
    location_flush_s: float = Field(default=1.0, gt=0)
    """How often positions are written to Postgres."""
    location_retention_days: int = Field(default=30, ge=2)
    """How long location history is kept."""
    partitions_ahead_days: int = Field(default=7, ge=1)
    """How long before they are needed its partitions are made."""
    idempotency_retention_days: int = Field(default=7, ge=1)
    """How long answers are kept for repeated requests."""
    silent_driver_s: float = Field(default=900.0, gt=0)
    """A driver who is silent for so long is taken offline."""
    gauges_every_s: float = Field(default=5.0, gt=0)
    """How often gauges are refreshed."""
