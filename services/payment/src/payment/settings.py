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
    than all attempts of one call to Efí together (`efi_call_s`). What a killed process had claimed waits as long.
    """

    # A burst of requests for one payment waits for its row, one after the other.
    database_pool_timeout_s: float = Field(default=10.0, gt=0)
    """Seconds to wait for a free connection."""
    # The webhook's door stores one row a call, hundreds a second, and Efí comes again after a 5xx.
    database_ask_after_idle_s: float = Field(default=1.0, ge=0)
    """A connection that lay idle so long is asked whether it lives before it is used; 0: always."""

    webhook_host: str = "127.0.0.1"
    """Address of the webhook's listener."""
    webhook_port: int = 8443
    """Port of the webhook's listener."""
    webhook_certificate_file: Path | None = None
    """The listener's certificate; unset: no listener."""
    webhook_key_file: Path | None = None
    """That certificate's key."""
    webhook_client_ca_file: Path | None = None
    """The authority of the certificate that Efí must show."""
    webhook_client_subject: str | None = None
    """The subject that it must have; unset: any."""
    webhook_client_issuer: str | None = None
    """The issuer that it must have; unset: any."""
    webhook_url: str | None = None
    """The listener's public address, registered at Efí; unset: nothing is registered."""
    charge_ttl_s: float = Field(default=3600.0, ge=1)
    """How long a charge can be paid."""
    janitor_s: float = Field(default=300.0, gt=0)
    """How often, and from what age, open charges are asked about."""
    payment_lease_s: float = Field(default=120.0, gt=0)
    """How long a claimed charge or webhook is left to its process."""
    encryption_key_file: Path
    """Keys that seal webhooks' raw bodies: base64 of 32 bytes a line, the current one first."""
    raw_webhook_ttl_s: float = Field(default=7_776_000.0, gt=0)
    """How long a sealed body is kept; hash and redacted content stay."""
    refund_second_payments: bool = True
    """Whether what was paid twice for one ride goes back by itself."""
    statement_report_wait_s: float = Field(default=3600.0, ge=0)
    """How long a day's statement waits for Efí's own report."""
