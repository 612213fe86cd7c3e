"""Logs, traces and crash reports of every service, with personal data masked before it leaves the process.

`configure` is called once, by a service's main. Everything else works without it: a log line is then plain
and a span records nothing.
"""

from telemetry import tracing
from telemetry.configuration import configure
from telemetry.logs import bind, bound, get_logger, unbind
from telemetry.masking import mask, mask_text
from telemetry.settings import TelemetrySettings

__all__ = [
    "TelemetrySettings",
    "bind",
    "bound",
    "configure",
    "get_logger",
    "mask",
    "mask_text",
    "tracing",
    "unbind",
]
