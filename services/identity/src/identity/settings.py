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
    """Keys that seal CPF, CNH and Pix keys: base64 of 32 bytes a line, the current one first."""
    blind_index_key_file: Path
    """Key of the blind indexes: base64 of 32 bytes. It never changes."""
    service_token_file: Path
    """The token by which payout is known."""
    first_admin_login: str | None = None
    """E-mail or phone of the first administrator."""
    first_admin_password_file: Path | None = None
    """The first administrator's password."""

    access_ttl_s: int = Field(default=900, ge=10)
    """Life of an access token."""
    refresh_sliding_s: int = Field(default=7 * 86_400, ge=60)
    """Life of a refresh token that is not used."""
    refresh_absolute_s: int = Field(default=90 * 86_400, ge=60)
    """Longest life of a session."""
    refresh_grace_s: int = Field(default=10, ge=0, le=60)
    """How long the immediate predecessor of a refresh token may be repeated."""

    # The lead is longer than any verifier's copy of the key set lives (web.RemoteKeys: 300 s).
    signing_key_rotate_s: int = Field(default=30 * 86_400, ge=3_600)
    """How often the signing key changes."""
    signing_key_lead_s: int = Field(default=600, ge=0)
    """How long a new key is published before it signs."""
    signing_key_poll_s: float = Field(default=5, gt=0)
    """How often a process looks for new keys."""

    # OWASP's least costs for Argon2id; whoever has the memory raises them, and hashes follow at each login.
    password_memory_kib: int = Field(default=19_456, ge=8)
    """Argon2id's memory."""
    password_passes: int = Field(default=2, ge=1)
    """Argon2id's passes."""
    password_parallel: int = Field(default=2, ge=1)
    """Passwords hashed at the same time by a process."""
    password_wait_s: float = Field(default=10, gt=0)
    """Longest wait for one's turn; then 503."""

    rate_limits: Literal["strict", "relaxed"] = "strict"
    """`relaxed` lifts the limits of failed logins."""
    login_failures_per_pair: int = Field(default=5, ge=1)
    """Failures a minute of one login from one address."""
    login_failures_per_login: int = Field(default=20, ge=1)
    """Failures a minute of one login from addresses that are new to it."""
    login_failures_per_address: int = Field(default=30, ge=1)
    """Failures a minute from one address."""

    revocations_spread_s: float = Field(default=2, gt=0)
    """How often Valkey's copy of the revocations is made whole."""
    revocations_poll_s: float = Field(default=1, gt=0)
    """How often identity's own processes read them from the database."""
