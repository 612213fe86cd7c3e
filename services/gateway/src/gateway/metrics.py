"""What the gateway counts. Labels are enumerations, never a path or a person."""

from typing import Final

from prometheus_client import Counter, Gauge

RATE_LIMITED: Final = Counter("gateway_rate_limited_total", "Requests refused by a rate limit", ["window"])
LIMITER_ALONE: Final = Counter(
    "gateway_limiter_alone_total", "Requests counted in this process only, Valkey being away"
)
UPSTREAM_FAILURES: Final = Counter(
    "gateway_upstream_failures_total", "Requests that a service did not answer", ["service", "code"]
)
SOCKETS: Final = Gauge("gateway_sockets", "Sockets that are passed through right now")
