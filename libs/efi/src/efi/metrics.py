"""How Efí answers us."""

from typing import Final

from prometheus_client import Gauge, Histogram

REQUEST_DURATION_S: Final = Histogram(
    "efi_request_duration_seconds",
    "Time of one HTTP request to Efí",
    ("operation", "outcome"),
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30),
)

CIRCUIT_STATE: Final = Gauge(
    "efi_circuit_state",
    "Whether the host is asked: 0 yes (closed), 1 by one request (half-open), 2 no (open)",
    ("host",),
)
