"""What a deployment of payment decides. Read once, by main."""

from pathlib import Path

from pydantic import Field

from efi import EfiSettings
from messaging import KafkaSettings
from storage import DatabaseSettings
from telemetry import TelemetrySettings
from web import WebSettings


class Settings(WebSettings, DatabaseSettings, KafkaSettings, TelemetrySettings, EfiSettings):
    """Times are in seconds. The webhook listener has its own port and mTLS, never behind the gateway.

    `payment_lease_s` is how long a process that has claimed a charge or a webhook is left alone with it: longer
    than all attempts of one call to Efí together. What a killed process had claimed waits as long.
    """

    webhook_host: str = "127.0.0.1"
    webhook_port: int = 8443
    webhook_certificate_file: Path | None = None
    webhook_key_file: Path | None = None
    webhook_client_ca_file: Path | None = None
    webhook_client_subject: str | None = None
    webhook_client_issuer: str | None = None
    webhook_url: str | None = None
    charge_ttl_s: float = Field(default=3600.0, ge=1)
    janitor_s: float = Field(default=300.0, gt=0)
    payment_lease_s: float = Field(default=60.0, gt=0)
