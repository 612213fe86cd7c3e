"""When to try and to ask again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

RETURNS_POSSIBLE: Final = timedelta(days=90)
"""For how long a receiver may give a Pix back (the central bank's rules)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`first_poll_s` and `janitor_s`: the shortest and longest wait between questions about a send in flight.

    `lease_s` is how long a claimed payout is left to its worker, longer than a call may take. The same
    idEnvio may be sent again `resend_after_s` after an unclear attempt: until then we only ask.
    """

    minimum: Decimal = Decimal("1.00")
    janitor_s: float = 300.0
    first_poll_s: float = 0.5
    retry_s: float = 2.0
    lease_s: float = 90.0
    resend_after_s: float = 5.0
    batch: int = 20

    def lease(self, *, now: datetime) -> datetime:
        """Until when a payout that is claimed now belongs to its worker."""
        return now + timedelta(seconds=self.lease_s)

    def next_poll(self, *, since: datetime, now: datetime) -> datetime:
        """Often at first, then ever more seldom: the wait is as long as we have been waiting."""
        age_s = (now - since).total_seconds()
        return now + timedelta(seconds=min(max(age_s, self.first_poll_s), self.janitor_s))

    def next_retry(self, *, since: datetime, now: datetime) -> datetime:
        """When a call that did not get through is tried again."""
        age_s = (now - since).total_seconds()
        return now + timedelta(seconds=min(max(age_s, self.retry_s), self.janitor_s))

    def next_look(self, *, completed_at: datetime, now: datetime) -> datetime | None:
        """When to look again whether a completed payout came back; None once that is no longer possible."""
        age = now - completed_at
        if age > RETURNS_POSSIBLE:
            return None
        return now + max(age, timedelta(seconds=self.janitor_s))
