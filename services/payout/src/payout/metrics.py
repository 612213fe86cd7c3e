"""What payouts tell Prometheus (the blueprint's names).

A counter's series are made here, before anything happens: an alert compares it with what it was, and a series that
begins with its first event never grew.
"""

from math import nan
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from payout.domain.payout import Payout
from payout.domain.send import Outcome
from payout.domain.step import FailureReason, Status, Step

CREATED: Final = Counter("payouts_created_total", "Payouts requested")
COMPLETED: Final = Counter("payouts_completed_total", "Payouts that reached the driver")
FAILED: Final = Counter("payouts_failed_total", "Payouts that failed", ["reason"])
RETURNED: Final = Counter("payouts_returned_total", "Payouts that came back, whole or in part")
DURATION: Final = Histogram(
    "payout_duration_seconds",
    "From request to completion",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 86400),
)
SEND_ATTEMPTS: Final = Counter("payout_send_attempts_total", "Attempts to send a Pix", ["outcome"])
DIRECTORY_FAILURES: Final = Counter("payout_bank_details_failures_total", "Identity did not answer")
CONTRADICTIONS: Final = Counter(
    "payout_contradictions_total", "The bank contradicted what is settled: someone must look"
)
UNKNOWN_OLDEST: Final = Gauge(
    "payout_unknown_oldest_seconds",
    "Since when the oldest send is in doubt that the bank may or may not have (0: none)",
)
OLDEST_OPEN: Final = Gauge(
    "payouts_oldest_open_seconds",
    "Age of the oldest payout that is pending (since asked for) or processing (since first sent); 0: none, NaN: unseen",
    ["status"],
)
OPEN: Final = (Status.PENDING, Status.PROCESSING)

for _reason in FailureReason:
    FAILED.labels(_reason)
for _outcome in Outcome:
    SEND_ATTEMPTS.labels(_outcome)
for _status in OPEN:
    OLDEST_OPEN.labels(_status.lower()).set(nan)


def count_move(before: Payout, after: Payout) -> None:
    """Count what became of a payout; call it after the commit."""
    if after.step is before.step:
        return
    if after.completed_at is not None and before.completed_at is None:
        COMPLETED.inc()
        DURATION.observe((after.completed_at - after.created_at).total_seconds())
    if after.step is Step.FAILED:
        FAILED.labels(reason=after.failure_reason or "unknown").inc()
    if after.step is Step.RETURNED:
        RETURNED.inc()
