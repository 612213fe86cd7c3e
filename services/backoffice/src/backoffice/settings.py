"""What a deployment of backoffice decides. Read once, by main."""

from pydantic import Field

from messaging import KafkaSettings
from storage import DatabaseSettings
from telemetry import TelemetrySettings
from web import WebSettings


class Settings(WebSettings, DatabaseSettings, KafkaSettings, TelemetrySettings):
    """Nothing of its own yet."""

    # A transaction of one event is no longer than the question, and what fails is tried again.
    database_ask_after_idle_s: float = Field(default=1.0, ge=0)
    """A connection that lay idle so long is asked whether it lives before it is used; 0: always."""
