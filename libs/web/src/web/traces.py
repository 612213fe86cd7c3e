"""HTTP server spans: OpenTelemetry's instrumentation of FastAPI makes them, we say what they are called.

Its middleware is added as any other: `FastAPIInstrumentor.instrument_app` would match every route a second
time for the name that the edge knows for free (docs/decisions/0020). The instrumentation knows the path, the
query, the client's address and its agent; none of them leaves the process (`telemetry.exporting`). Sockets and
probes have no spans: a socket's path is a ticket, and its span would last for hours.
"""

import os
from typing import Final

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import OpenTelemetryMiddleware  # type: ignore[attr-defined]
from opentelemetry.metrics import NoOpMeterProvider
from starlette.types import Scope

PROBES: Final = frozenset({"/health", "/ready", "/metrics"})
_EXCLUDED: Final = "^wss?:,^https?://[^/]*/(?:" + "|".join(path[1:] for path in sorted(PROBES)) + ")$"


def instrument(app: FastAPI) -> None:
    """Give each request of the app a server span, around every layer added so far."""
    # The only switch to the stable names (http.request.method …), read when the first app is built. Not said
    # at import: a fork of a process that had imported us may have been given another environment.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    app.add_middleware(
        OpenTelemetryMiddleware,
        excluded_urls=_EXCLUDED,
        default_span_details=_nameless,
        exclude_spans=["receive", "send"],
        meter_provider=NoOpMeterProvider(),  # requests are measured by the edge, for Prometheus
    )


def describe(*, method: str, route: str, request_id: str, status: int | None = None) -> None:
    """Name the request's span after the route's template; once it has ended, nothing happens.

    The span ends with the answer's last byte, so this is said when the first one is sent. `status` is for a
    request that was never answered.
    """
    span = trace.get_current_span()
    if not span.is_recording():
        return
    span.update_name(f"{method} {route}")
    span.set_attributes({"http.request.method": method, "http.route": route, "request_id": request_id})
    if status is not None:
        span.set_attribute("http.response.status_code", status)


def _nameless(_scope: Scope) -> tuple[str, dict[str, str]]:
    """Until the route is known; the instrumentation's own default is the path."""
    return "HTTP", {}
