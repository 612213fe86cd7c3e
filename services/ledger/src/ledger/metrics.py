"""What the books tell Prometheus.

A gauge that a process has not measured is NaN, which Prometheus' min and max leave out: zero would be a value.
"""

from math import nan
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

JOURNALS: Final = Counter("ledger_journals_posted_total", "Journals posted", ["event_type"])
DUPLICATES: Final = Counter("ledger_duplicates_total", "Events that were posted before")
HOLDS_REFUSED: Final = Counter("ledger_payout_holds_refused_total", "Payouts refused", ["reason"])
BATCH: Final = Histogram(
    "ledger_batch_events",
    "Events posted by one transaction",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
)
OPEN_CASES: Final = Gauge("ledger_open_cases", "Reconciliation cases that nobody resolved yet", ["kind"])
STATEMENT_LINES: Final = Counter("ledger_statement_lines_total", "Statement lines compared", ["matched"])
PARTITION_DAYS_AHEAD: Final = Gauge(
    "ledger_partition_days_ahead", "Days from today for which partitions of entries exist"
)
DEFAULT_PARTITION: Final = Gauge(
    "ledger_default_partition_entries",
    "Entries in the default partition: more than 0 says a month was missing",
)
ANCHORED_SEQ: Final = Gauge("ledger_anchored_seal", "The newest seal that was told outside the database")
ACCOUNT_BALANCE: Final = Gauge("ledger_account_balance", "Balance of an account in BRL", ["account"])
TRIAL_BALANCE: Final = Gauge("ledger_trial_balance", "Debits minus credits of all balances in BRL: always 0")
BOOKS_FAULTS: Final = Gauge(
    "ledger_books_faults", "What the last check of chain, entries and balances found wrong: always 0"
)
BOOKS_VERIFIED_AT: Final = Gauge(
    "ledger_books_verified_at_seconds", "When that check ended, in seconds since 1970"
)

for _gauge in (
    PARTITION_DAYS_AHEAD,
    DEFAULT_PARTITION,
    ANCHORED_SEQ,
    TRIAL_BALANCE,
    BOOKS_FAULTS,
    BOOKS_VERIFIED_AT,
):
    _gauge.set(nan)
