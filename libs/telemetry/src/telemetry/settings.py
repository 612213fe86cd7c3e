"""What a deployment decides about logs, traces and crash reports."""

from pathlib import Path
from typing import Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PRODUCTION_SAMPLING_RATIO: Final = 0.1


class TelemetrySettings(BaseSettings):
    """`traces_sampling_ratio` None means every trace, and one in ten in production.

    Finished spans wait up to `otlp_delay_ms` and go out together.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    environment: str = "development"
    """Name of the deployment; in production one trace in ten is kept by default."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    log_format: Literal["json", "console"] = "json"
    """One JSON object a line, or text for a terminal."""
    traces_sampling_ratio: float | None = Field(default=None, ge=0, le=1)
    """Share of traces to keep; unset: 1, in production 0.1."""
    otlp_endpoint: str | None = None
    """Where spans go, OTLP over HTTP; unset: nowhere, and traces that begin here are recorded nowhere else either."""
    otlp_delay_ms: int = Field(default=5000, ge=10)
    """Longest wait of a finished span before it is sent."""
    sentry_dsn_file: Path | None = None
    """Sentry's DSN; unset: no crash reports."""

    def sampling_ratio(self) -> float:
        """The share of traces to record, 0 to 1."""
        if self.traces_sampling_ratio is not None:
            return self.traces_sampling_ratio
        return PRODUCTION_SAMPLING_RATIO if self.environment == "production" else 1.0
