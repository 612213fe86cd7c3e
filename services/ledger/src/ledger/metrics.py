"""What the books tell Prometheus."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

JOURNALS: Final = Counter("ledger_journals_posted_total", "Journals posted", ["event_type"])
DUPLICATES: Final = Counter("ledger_duplicates_total", "Events that were posted before")
HOLDS_REFUSED: Final = Counter("ledger_payout_holds_refused_total", "Payouts refused", ["reason"])
BATCH: Final = Histogram(
    "ledger_batch_events",
    "Events posted by one transaction",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
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
TRIAL_BALANCE: Final = Gauge("ledger_trial_balance", "Debits minus credits of all entries in BRL: always 0")
