"""What a deployment decides about a service's HTTP door."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WebSettings(BaseSettings):
    """Read from the environment (`SERVICE_PORT`, …); services inherit it.

    `drain_s`: how long a stopping process keeps serving after its readiness turned red, so that the load
    balancer notices first. `shutdown_s`: how long requests in flight may then take.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    environment: str = "development"
    service_host: str = "127.0.0.1"
    service_port: int = Field(default=8000, ge=0, le=65535)
    jwks_url: str | None = None
    identity_url: str | None = None
    token_issuer: str = "https://ibora.invalid"  # noqa: S105  # a name, not a secret
    token_audience: str = "ibora"  # noqa: S105
    valkey_url: str | None = None
    gateway_token_file: Path | None = None
    cors_origins: tuple[str, ...] = ()
    body_limit_bytes: int = Field(default=1_048_576, ge=1)
    body_timeout_s: float = Field(default=30, gt=0)
    header_timeout_s: float = Field(default=15, gt=0)
    drain_s: float = Field(default=5, ge=0)
    shutdown_s: float = Field(default=20, ge=0)
    public_url: str = "http://localhost:8000"
