"""What payment counts: the blueprint's names first.

A counter's series are made here, before anything happens: an alert compares it with what it was, and a series that
begins with its first event never grew.
"""

from itertools import product
from math import nan
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from contracts.payment import ClaimKind
from payment.domain.received import Source
from payment.domain.refund import MOVES, RefundTarget
from payment.domain.webhook import TurnedAway

PAYMENTS_CONFIRMED: Final = Counter("payments_confirmed_total", "Payments confirmed")
PAYMENTS_EXPIRED: Final = Counter("payments_expired_total", "Charges that expired unpaid")
WEBHOOKS_MISSED: Final = Counter("webhooks_missed_total", "Pix found by the janitor with no webhook stored")
WEBHOOKS_RECEIVED: Final = Counter(
    "webhooks_received_total", "Webhook events by type and outcome", ["event_type", "outcome"]
)
WEBHOOK_ITEMS_UNREADABLE: Final = Counter(
    "webhook_items_unreadable_total", "Entries of webhooks that were stored but make no sense"
)
WEBHOOKS_REFUSED: Final = Counter(
    "webhooks_refused_total", "Calls at the webhook's door that were not stored, by reason", ["reason"]
)
WEBHOOKS_SHREDDED: Final = Counter("webhook_bodies_shredded_total", "Sealed webhook bodies deleted in time")
CLAIMS_REJECTED: Final = Counter(
    "payment_claims_rejected_total", "Claims of webhooks that Efí does not bear out", ["kind"]
)
DEVOLUTIONS_WAITING: Final = Counter(
    "payment_devolutions_waiting_total", "Looks at a devolution that does not fit our refunds yet"
)
REFUNDS_ENDED: Final = Counter("payment_refunds_total", "Refunds that ended", ["target", "status"])
STATEMENTS_PUBLISHED: Final = Counter(
    "payment_statements_published_total", "Days that were over and published for the ledger"
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
OLDEST_OPEN_REFUND: Final = Gauge(
    "payment_oldest_open_refund_seconds",
    "Since when the oldest refund is open that has not ended (0: none; NaN: not looked at yet)",
)
OLDEST_OPEN_REFUND.set(nan)

for _reason in TurnedAway:
    WEBHOOKS_REFUSED.labels(_reason)
for _kind in ClaimKind:
    CLAIMS_REJECTED.labels(_kind)
for _source in Source:
    PIX_HELD.labels(_source)
for _target, _status in product(RefundTarget, (status for status, then in MOVES.items() if not then)):
    REFUNDS_ENDED.labels(_target, _status)
