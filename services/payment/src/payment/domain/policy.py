"""The times and limits that payment works by; main fills them from the settings."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`charge_ttl_s`: how long a charge can be paid. `janitor_s`: how old a charge is before Efí is asked."""

    charge_ttl_s: float
    janitor_s: float
    parallel: int = 8
    batch: int = 64
    lease_s: float = 60.0
    not_found_attempts: int = 6
    backoff_s: float = 0.5
    backoff_max_s: float = 60.0

    def retry_at(self, now: datetime, *, attempts: int) -> datetime:
        """When to try again after `attempts` failures: exponential, capped."""
        wait_s = min(self.backoff_s * 2 ** min(attempts, 16), self.backoff_max_s)
        return now + timedelta(seconds=wait_s)
