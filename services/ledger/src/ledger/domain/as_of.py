"""Balances as of a moment, by either of the two times that each posting has."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from contracts.ledger import EntryType
from kernel.business_day import business_day, day_bounds
from kernel.money import ZERO
from ledger.domain.chart import detail_account

INSTANT: Final = timedelta(microseconds=1)


class By(StrEnum):
    """OCCURRED: when it happened (at the bank, say). RECORDED: when it was posted here."""

    OCCURRED = "occurred"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time, included, and by which of the two times it counts."""

    at: datetime
    by: By = By.RECORDED

    @property
    def day(self) -> date:
        """The São Paulo day that holds it."""
        return business_day(self.at)

    @property
    def last_full_day(self) -> date:
        """The last day that is wholly at or before it."""
        return business_day(self.at + INSTANT) - timedelta(days=1)


def end_of(day: date) -> Moment:
    """The last instant of a posting day."""
    return Moment(at=day_bounds(day)[1] - INSTANT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """All debits and all credits of an account."""

    debits: Decimal = ZERO
    credits: Decimal = ZERO

    def balance(self, code: str) -> Decimal:
        """What they make on the account's normal side."""
        debit_grows = detail_account(code).normal_side is EntryType.DEBIT
        return self.debits - self.credits if debit_grows else self.credits - self.debits

    def less(self, earlier: "Turnover") -> "Turnover":
        """What was added since `earlier`."""
        return Turnover(debits=self.debits - earlier.debits, credits=self.credits - earlier.credits)
