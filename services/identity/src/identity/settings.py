"""What a deployment decides about identity. Read once, by main."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from messaging import KafkaSettings
from storage import DatabaseSettings
from telemetry import TelemetrySettings
from web import WebSettings


class Settings(WebSettings, DatabaseSettings, KafkaSettings, TelemetrySettings):
    """Seconds where a name ends in `_s`. Secrets are files; a key file holds base64 of 32 bytes, and the
    encryption key's may hold older keys on further lines.

    `first_admin_login` (an e-mail or a phone) is opened once with the password in the file; after that the
    two settings may go.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    encryption_key_file: Path
    blind_index_key_file: Path
    service_token_file: Path
    first_admin_login: str | None = None
    first_admin_password_file: Path | None = None

    access_ttl_s: int = Field(default=900, ge=10)
    refresh_sliding_s: int = Field(default=7 * 86_400, ge=60)
    refresh_absolute_s: int = Field(default=90 * 86_400, ge=60)
    refresh_grace_s: int = Field(default=10, ge=0, le=60)

    # The lead is longer than any verifier's copy of the key set lives (web.RemoteKeys: 300 s).
    signing_key_rotate_s: int = Field(default=30 * 86_400, ge=3_600)
    signing_key_lead_s: int = Field(default=600, ge=0)
    signing_key_poll_s: float = Field(default=5, gt=0)

    # OWASP's least costs for Argon2id; whoever has the memory raises them, and hashes follow at each login.
    password_memory_kib: int = Field(default=19_456, ge=8)
    password_passes: int = Field(default=2, ge=1)
    password_parallel: int = Field(default=2, ge=1)
    password_wait_s: float = Field(default=10, gt=0)

    rate_limits: Literal["strict", "relaxed"] = "strict"
    login_failures_per_pair: int = Field(default=5, ge=1)
    login_failures_per_login: int = Field(default=20, ge=1)
    login_failures_per_address: int = Field(default=30, ge=1)

    revocations_spread_s: float = Field(default=2, gt=0)
    revocations_poll_s: float = Field(default=1, gt=0)
