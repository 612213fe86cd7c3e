"""What the simulator is told by its environment. Secrets and certificates are files."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import SettingsConfigDict

from kernel.money import ZERO, money
from telemetry import TelemetrySettings

Amount = Annotated[Decimal, BeforeValidator(money), Field(ge=0)]


class Settings(TelemetrySettings):
    """`service_*` is the API over mTLS, `control_*` the plain door that only this machine should reach.

    `webhook_minute_s` is how many seconds a minute of Efí's retry schedule lasts: 60 in the real world.
    `hang_s` is how long a lost answer keeps its caller waiting before the connection is cut.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    service_host: str = "127.0.0.1"
    """Address of the API (mTLS)."""
    service_port: int = Field(default=8443, ge=0, le=65535)
    """Port of the API (mTLS)."""
    control_host: str = "127.0.0.1"
    """Address of the control door; loopback only."""
    control_port: int = Field(default=8444, ge=0, le=65535)
    """Port of the control door."""
    simulator_certificate_file: Path
    """The API's certificate."""
    simulator_key_file: Path
    """The certificate's key."""
    simulator_client_ca_file: Path
    """The authority of the certificates that callers must show."""
    efi_credentials_file: Path
    """The credentials that it accepts."""
    efi_pix_key: str
    """The account's Pix key."""
    webhook_ca_file: Path
    """The authority of the webhook's certificate."""
    webhook_client_certificate_file: Path
    """The certificate that it shows to the webhook."""
    webhook_client_key_file: Path
    """That certificate's key."""
    webhook_minute_s: float = Field(default=0.01, gt=0)
    """How many seconds a minute of Efí's retry schedule lasts; 60 in the real world."""
    webhook_timeout_s: float = Field(default=60, gt=0)
    """Longest wait for the webhook's answer."""
    state_folder: Path | None = None
    """Where the bank's books survive a restart; unset: a restart forgets everything."""
    opening_balance: Amount = Decimal("1000.00")
    """Money in the account at the start, in BRL."""
    receive_fee: Amount = ZERO
    """Fee of a received Pix, in BRL."""
    send_fee: Amount = ZERO
    """Fee of a sent Pix, in BRL."""
    settle_s: float = Field(default=0.2, ge=0)
    """How long sends and refunds take."""
    statement_ready_s: float = Field(default=0.2, ge=0)
    """How long a statement takes to be made."""
    hang_s: float = Field(default=0.5, ge=0)
    """How long a lost answer keeps its caller waiting."""
    slow_s: float = Field(default=2.0, ge=0)
    """How long an answer takes in mode `slow`."""
    token_ttl_s: int = Field(default=3600, gt=0)
    """Life of an access token."""
    homologation: bool = False
    """Whether the amount rules of Efí's sandbox apply."""
