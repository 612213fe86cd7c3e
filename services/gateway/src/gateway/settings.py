"""What a deployment decides about the gateway. Read once, by main."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from telemetry import TelemetrySettings
from web import WebSettings


class Settings(WebSettings, TelemetrySettings):
    """Seconds where a name ends in `_s`; `*_per_minute` are requests.

    `service_urls`: JSON, the HTTP address of each service by its name. `trusted_proxies`: networks whose
    X-Forwarded-For is believed. Windows of one address or one user are meant to stop floods, not people.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    service_urls: dict[str, str] = Field(default_factory=dict)
    """The address of each service by its name."""
    openapi_file: Path | None = None
    """The merged OpenAPI to serve; unset: none."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose X-Forwarded-For is believed."""

    connect_timeout_s: float = Field(default=2, gt=0)
    """Longest wait for a connection to a service."""
    upstream_timeout_s: float = Field(default=15, gt=0)
    """Longest wait for a service's answer; then 504."""

    rate_limits: Literal["strict", "relaxed"] = "strict"
    """`relaxed` lifts the limits."""
    accept_per_minute: int = Field(default=5, ge=1)
    """Accepts a driver, exact."""
    user_per_minute: int = Field(default=3_000, ge=1)
    """Requests a user."""
    address_per_minute: int = Field(default=6_000, ge=1)
    """Requests an address without a good token."""
