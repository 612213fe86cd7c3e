"""The times and limits that payment works by; main fills them from the settings."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`charge_ttl_s`: how long a charge can be paid. `janitor_s`: how old a charge is before Efí is asked.

    `refund_second_payments`: money for a ride that is paid already goes back by itself. `raw_webhook_ttl_s`: how
    long a webhook's sealed body is kept. `report_wait_s`: how long a statement waits for Efí's own report.
    """

    charge_ttl_s: float
    janitor_s: float
    parallel: int = 8
    batch: int = 64
    lease_s: float = 120.0
    not_found_attempts: int = 8
    refund_second_payments: bool = True
    raw_webhook_ttl_s: float = 7_776_000.0
    report_wait_s: float = 3600.0
    backoff_s: float = 0.5
    backoff_max_s: float = 60.0
    refund_poll_max_s: float = 900.0

    def retry_at(self, now: datetime, *, attempts: int) -> datetime:
        """When to try again after `attempts` failures: exponential, capped."""
        return self._after(now, attempts=attempts, most_s=self.backoff_max_s)

    def ask_refund_at(self, now: datetime, *, attempts: int) -> datetime:
        """When Efí is asked again about a refund: it may take days, and its webhook comes first as a rule."""
        return self._after(now, attempts=attempts, most_s=self.refund_poll_max_s)

    def _after(self, now: datetime, *, attempts: int, most_s: float) -> datetime:
        return now + timedelta(seconds=min(self.backoff_s * 2 ** min(attempts, 16), most_s))
