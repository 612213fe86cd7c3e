"""The balance of a driver as the ledger last told it: a hint here, since only the ledger decides."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from kernel.money import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBalance:
    """`version` grows with every change; zero means that nothing was ever heard."""

    driver_id: UUID
    available: Decimal = ZERO
    on_hold: Decimal = ZERO
    version: int = 0

    def covers(self, amount: Decimal, *, asked_for: Decimal) -> bool:
        """Whether `amount` fits beside what is asked for and not yet part of this balance."""
        return amount <= self.available - asked_for
