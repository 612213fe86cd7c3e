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
    """Name of the deployment, such as production; logs and traces carry it."""
    service_host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 in a container."""
    service_port: int = Field(default=8000, ge=0, le=65535)
    """Port of the service's HTTP door; 0 takes a free one."""
    jwks_url: str | None = None
    """Where identity publishes the keys that verify access tokens. Unset: nobody can be authenticated."""
    identity_url: str | None = None
    """Identity's address: revocations are asked there when Valkey is away."""
    token_issuer: str = "https://ibora.invalid"  # noqa: S105  # a name, not a secret
    """The `iss` that access tokens carry."""
    token_audience: str = "ibora"  # noqa: S105
    """The `aud` that access tokens carry."""
    valkey_url: str | None = None
    """Valkey or Redis, redis://…; unset: as if it were away."""
    gateway_token_file: Path | None = None
    """The gateway's secret. Without it no X-Ibora header is believed."""
    cors_origins: tuple[str, ...] = ()
    """Origins of browsers that may call."""
    body_limit_bytes: int = Field(default=1_048_576, ge=1)
    """Longest request body; more is 413."""
    body_timeout_s: float = Field(default=30, gt=0)
    """How long a body may take to arrive."""
    header_timeout_s: float = Field(default=15, gt=0)
    """How long the headers of a request may take to arrive."""
    drain_s: float = Field(default=5, ge=0)
    """How long a stopping process still serves while /ready is red; 0 stops at once."""
    shutdown_s: float = Field(default=20, ge=0)
    """How long requests in flight may take after that."""
    public_url: str = "http://localhost:8000"
    """The gateway's address as apps see it; in socket URLs and OpenAPI."""
