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

    offer_ttl_s: float = Field(default=15.0, gt=0)
    offer_min_s: float = Field(default=1.0, ge=0)
    wave_size: int = Field(default=5, ge=1)
    wave_interval_s: float = Field(default=4.0, gt=0)
    inflight_cap: int = Field(default=2, ge=1)
    radius_m: int = Field(default=2000, ge=1)
    radius_step_m: int = Field(default=2000, ge=1)
    max_radius_m: int = Field(default=8000, ge=1)
    search_ttl_s: float = Field(default=120.0, gt=0)
    presence_ttl_s: float = Field(default=120.0, gt=0)
    dispatch_poll_s: float = Field(default=0.1, gt=0)

    prices: Mapping[VehicleCategory, Price] = PRICES
    commission_bps: int = Field(default=2000, ge=0, le=10_000)
    surge: Decimal = Field(default=Decimal("1.00"), ge=0)
    road_factor: float = Field(default=1.3, ge=1)
    cruise_mps: float = Field(default=7.0, gt=0)
    path_floor: float = Field(default=0.5, ge=0, le=1)
    path_ceiling: float = Field(default=3.0, ge=1)
    path_slack_m: int = Field(default=2000, ge=0)
    time_ceiling: float = Field(default=4.0, ge=1)
    time_slack_s: int = Field(default=900, ge=0)
    quote_ttl_s: float = Field(default=300.0, gt=0)

    location_max_accuracy_m: float = Field(default=50.0, gt=0)
    location_max_age_s: float = Field(default=120.0, gt=0)
    location_min_interval_s: float = Field(default=0.2, ge=0)
    location_max_speed_mps: float = Field(default=70.0, gt=0)
    location_flush_s: float = Field(default=1.0, gt=0)
    location_retention_days: int = Field(default=30, ge=2)
    partitions_ahead_days: int = Field(default=7, ge=1)
    idempotency_retention_days: int = Field(default=7, ge=1)
    silent_driver_s: float = Field(default=900.0, gt=0)
    gauges_every_s: float = Field(default=5.0, gt=0)
