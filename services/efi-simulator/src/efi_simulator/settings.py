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
    service_port: int = Field(default=8443, ge=0, le=65535)
    control_host: str = "127.0.0.1"
    control_port: int = Field(default=8444, ge=0, le=65535)
    simulator_certificate_file: Path
    simulator_key_file: Path
    simulator_client_ca_file: Path
    efi_credentials_file: Path
    efi_pix_key: str
    webhook_ca_file: Path
    webhook_client_certificate_file: Path
    webhook_client_key_file: Path
    webhook_minute_s: float = Field(default=0.01, gt=0)
    webhook_timeout_s: float = Field(default=60, gt=0)
    opening_balance: Amount = Decimal("1000.00")
    receive_fee: Amount = ZERO
    send_fee: Amount = ZERO
    settle_s: float = Field(default=0.2, ge=0)
    hang_s: float = Field(default=0.5, ge=0)
    slow_s: float = Field(default=2.0, ge=0)
    token_ttl_s: int = Field(default=3600, gt=0)
    homologation: bool = False
