"""Where the database is and how long it may be kept waiting."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """Read from the environment (`DATABASE_URL`, …); services inherit it. Sizes are connections.

    `database_url` is the service's own, lesser role; `database_owner_url` runs the migrations (the same
    role when it is not set). A password file replaces the URL's password and is read again at every
    connection, so that a rotated secret needs no restart.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: str
    database_owner_url: str | None = None
    database_replica_url: str | None = None
    database_password_file: Path | None = None
    database_owner_password_file: Path | None = None
    database_pool_size: int = Field(default=5, ge=1)
    database_max_overflow: int = Field(default=5, ge=0)
    database_pool_timeout_s: float = Field(default=5.0, gt=0)
    database_statement_timeout_ms: int = Field(default=5000, ge=0)
    database_lock_timeout_ms: int = Field(default=3000, ge=0)
    database_idle_timeout_ms: int = Field(default=10_000, ge=0)
