"""What payment counts: the blueprint's names first."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

PAYMENTS_CONFIRMED: Final = Counter("payments_confirmed_total", "Payments confirmed")
PAYMENTS_EXPIRED: Final = Counter("payments_expired_total", "Charges that expired unpaid")
WEBHOOKS_MISSED: Final = Counter("webhooks_missed_total", "Pix found by the janitor with no webhook stored")
WEBHOOKS_RECEIVED: Final = Counter(
    "webhooks_received_total", "Webhook events by type and outcome", ["event_type", "outcome"]
)
PIX_HELD: Final = Counter("pix_held_total", "Received Pix that did not fit a charge", ["source"])
CONFIRMATION_DELAY: Final = Histogram(
    "payment_confirmation_delay_seconds",
    "From the Pix's own time to the confirmation",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900),
)
PROVIDER_FAILURES: Final = Counter(
    "payment_provider_failures_total", "Calls to Efí that failed", ["operation", "kind"]
)
CHARGES_WAITING: Final = Gauge("charges_waiting_for_code", "Charges taken to Efí in the last round")
