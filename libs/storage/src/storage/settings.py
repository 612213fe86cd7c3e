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
    """The service's database, as its lesser role; postgresql://…"""
    database_owner_url: str | None = None
    """The same as its owner, for `migrate`; unset: DATABASE_URL."""
    database_replica_url: str | None = None
    """A replica for reads that may lag; unset: the primary."""
    database_password_file: Path | None = None
    """Replaces the password of DATABASE_URL and of the replica's."""
    database_owner_password_file: Path | None = None
    """Replaces the password of DATABASE_OWNER_URL."""
    # What goes beyond the pool is closed after each use, and opened again for the next: a login, the types and
    # every statement prepared anew cost more than the work.
    database_pool_size: int = Field(default=10, ge=1)
    """Connections a process keeps."""
    database_max_overflow: int = Field(default=0, ge=0)
    """Connections beyond those, while it is busy; each is opened for one use."""
    database_pool_timeout_s: float = Field(default=5.0, gt=0)
    """How long work waits for a connection."""
    database_ask_after_idle_s: float = Field(default=0.0, ge=0)
    """A connection that lay idle so long is asked whether it lives before it is used; 0: always."""
    database_statement_timeout_ms: int = Field(default=5000, ge=0)
    """Longest statement; 0 for none."""
    database_lock_timeout_ms: int = Field(default=3000, ge=0)
    """Longest wait for a lock; 0 for none."""
    database_idle_timeout_ms: int = Field(default=10_000, ge=0)
    """How long a transaction may sit idle; 0 for ever."""
