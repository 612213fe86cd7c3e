"""The one call that switches telemetry on."""

from telemetry.crash_reports import configure_crash_reports
from telemetry.logs import configure_logs
from telemetry.settings import TelemetrySettings
from telemetry.tracing import configure_tracing


def configure(service: str, settings: TelemetrySettings) -> None:
    """Set up logs, traces and, with a DSN file, crash reports. Once, by a service's main."""
    configure_logs(service=service, level=settings.log_level, style=settings.log_format)
    configure_tracing(
        service=service,
        ratio=settings.sampling_ratio(),
        otlp_endpoint=settings.otlp_endpoint,
        delay_ms=settings.otlp_delay_ms,
        environment=settings.environment,
    )
    configure_crash_reports(settings.sentry_dsn_file, service=service, environment=settings.environment)
