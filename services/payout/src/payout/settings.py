"""What a deployment of payout decides. Read once, by main."""

from decimal import Decimal
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from efi import EfiSettings
from messaging import KafkaSettings
from storage import DatabaseSettings
from telemetry import TelemetrySettings
from web import WebSettings


class Settings(WebSettings, DatabaseSettings, KafkaSettings, TelemetrySettings, EfiSettings):
    """Seconds where a name ends in `_s`, reais where it ends in `_brl`. Secrets are files.

    `encryption_key_file` holds base64 lines of 32 bytes, the current key first; `service_token_file` the
    token that identity knows us by; `identity_url` is where it listens.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    encryption_key_file: Path
    """Keys that seal bank snapshots: base64 of 32 bytes a line, the current one first."""
    service_token_file: Path
    """The token that identity knows payout by."""
    identity_timeout_s: float = Field(default=5.0, gt=0)
    """Longest wait for identity's answer."""
    payout_minimum_brl: Decimal = Field(default=Decimal("1.00"), gt=0, decimal_places=2)
    """Least amount of a payout, in BRL."""
    payout_maximum_brl: Decimal | None = Field(default=None, gt=0, decimal_places=2)
    """Most of one payout, in BRL; empty: no limit."""
    payout_driver_day_count: int | None = Field(default=None, ge=0)
    """Most payouts of a driver in a São Paulo day; empty: no limit."""
    payout_driver_day_sum_brl: Decimal | None = Field(default=None, ge=0, decimal_places=2)
    """Most that a driver is paid out in a São Paulo day, in BRL; empty: no limit."""
    payout_platform_day_count: int | None = Field(default=None, ge=0)
    """Most payouts of all drivers in a São Paulo day; empty: no limit, 0: none today."""
    payout_platform_day_sum_brl: Decimal | None = Field(default=None, ge=0, decimal_places=2)
    """Most that all drivers are paid out in a São Paulo day, in BRL (Efí's own daily limit); empty: no limit."""
    pix_key_cooling_s: float = Field(default=86_400.0, ge=0)
    """How long a new Pix key is not paid to; 0 pays at once."""
    janitor_s: float = Field(default=300.0, gt=0)
    """Longest wait between two questions about a send."""
    first_poll_s: float = Field(default=0.5, gt=0)
    """Shortest wait between two questions about a send."""
    payout_retry_s: float = Field(default=2.0, gt=0)
    """First wait after a failed attempt."""
    payout_resend_after_s: float = Field(default=120.0, ge=0)
    """After so long an idEnvio that Efí does not know is sent again, and a refusal of it believed."""
    payout_lease_s: float = Field(default=90.0, gt=0)
    """How long a claimed payout is left to its process; a call to Efí is cut off before half of it is over."""
    payout_tick_s: float = Field(default=0.2, gt=0)
    """How often due payouts are looked for."""
