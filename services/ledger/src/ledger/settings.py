"""What a deployment of the ledger decides. Read once, by main."""

from pydantic import Field

from messaging import KafkaSettings
from storage import DatabaseSettings
from telemetry import TelemetrySettings
from web import WebSettings


class Settings(WebSettings, DatabaseSettings, KafkaSettings, TelemetrySettings):
    """Intervals are in seconds; partitions are made `partition_days_ahead` days before they are needed."""

    fold_every_s: float = Field(default=10.0, gt=0)
    """How often new entries are folded into the platform's balances."""
    seal_every_s: float = Field(default=60.0, gt=0)
    """How often new journals are sealed into the hash chain."""
    partition_every_s: float = Field(default=3600.0, gt=0)
    """How often partitions are looked after."""
    partition_days_ahead: int = Field(default=95, ge=1, le=1000)
    """How long before they are needed partitions are made."""
