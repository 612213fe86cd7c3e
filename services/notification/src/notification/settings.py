"""What a deployment of notification decides. Read once, by main."""

from pydantic import Field

from messaging import KafkaSettings
from storage import DatabaseSettings
from telemetry import TelemetrySettings
from web import WebSettings


class Settings(WebSettings, DatabaseSettings, KafkaSettings, TelemetrySettings):
    ticket_ttl_s: int = Field(default=30, ge=1, le=300)
    """Life of a socket's ticket."""
    heartbeat_s: int = Field(default=30, ge=1)
    """How often an app should ping; `hello` tells it."""
