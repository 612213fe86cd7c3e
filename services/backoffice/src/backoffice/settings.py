"""What a deployment of backoffice decides. Read once, by main."""

from messaging import KafkaSettings
from storage import DatabaseSettings
from telemetry import TelemetrySettings
from web import WebSettings


class Settings(WebSettings, DatabaseSettings, KafkaSettings, TelemetrySettings):
    """Nothing of its own yet."""
