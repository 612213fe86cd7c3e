"""When to try and to ask again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from payout.domain.limits import Limits

DOUBT_LASTS: Final = timedelta(days=1)
"""For how long a failure that followed a doubt is checked again."""
RETURNS_POSSIBLE: Final = timedelta(days=90)
"""For how long a receiver may give a Pix back (the central bank's rules)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`first_poll_s` and `janitor_s`: the shortest and longest wait between questions about a send in flight.

    `lease_s` is how long a claimed payout is left to its worker. The same
    idEnvio may be sent again `resend_after_s` after an unclear attempt: until then we only ask. A Pix key is
    paid to `pix_key_cooling_s` after it changed.
    """

    limits: Limits = field(default_factory=Limits)
    pix_key_cooling_s: float = 0.0
    janitor_s: float = 300.0
    first_poll_s: float = 0.5
    retry_s: float = 2.0
    lease_s: float = 90.0
    resend_after_s: float = 120.0
    batch: int = 20

    @property
    def call_s(self) -> float:
        """When a call to the bank is cut off, retries and all: a lease has room for a send and a second opinion."""
        return self.lease_s * 0.45

    def lease(self, *, now: datetime) -> datetime:
        """Until when a payout that is claimed now belongs to its worker."""
        return now + timedelta(seconds=self.lease_s)

    def next_poll(self, *, since: datetime, now: datetime) -> datetime:
        """Often at first, then ever more seldom: the wait is as long as we have been waiting."""
        age_s = (now - since).total_seconds()
        return now + timedelta(seconds=min(max(age_s, self.first_poll_s), self.janitor_s))

    def next_retry(self, *, since: datetime, now: datetime, wait_s: float | None = None) -> datetime:
        """When a call that did not get through is tried again: not before `wait_s` if we were told to wait."""
        age_s = max((now - since).total_seconds(), self.retry_s, wait_s or 0.0)
        return now + timedelta(seconds=min(age_s, self.janitor_s))

    def next_look(self, *, completed_at: datetime, now: datetime) -> datetime | None:
        """When to look again whether a completed payout came back; None once that is no longer possible."""
        age = now - completed_at
        if age > RETURNS_POSSIBLE:
            return None
        return now + max(age, timedelta(seconds=self.janitor_s))

    def next_check(self, *, failed_at: datetime, now: datetime) -> datetime | None:
        """When to ask once more about a payout that was failed after a doubt; None after a day."""
        age = now - failed_at
        if age > DOUBT_LASTS:
            return None
        return now + max(age, timedelta(seconds=self.janitor_s))
