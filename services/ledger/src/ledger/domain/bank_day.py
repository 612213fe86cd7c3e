"""How one day of the bank account was reconciled."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BankDay:
    """A day's statement beside the books. `checked_at` None: the grace period is not over.

    `booked_in` and `booked_out` moved on BANCO_CORRENTE by occurred time; `entries_alone` counts those without a
    line. `gap` is the bank's balance less the booked one at that moment, None when the bank said none.
    """

    day: date
    line_count: int
    arrived: int
    matched: int
    came_in: Decimal
    went_out: Decimal
    booked_in: Decimal
    booked_out: Decimal
    entries_alone: int
    open_cases: int
    cases: int
    balance: Decimal | None
    gap: Decimal | None
    closed_at: datetime
    checked_at: datetime | None

    @property
    def difference(self) -> Decimal:
        """What the books moved less what the statement says."""
        return self.booked_in + self.booked_out - self.came_in - self.went_out
