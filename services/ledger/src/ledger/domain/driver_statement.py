"""A driver's statement: what moved their money, line by line, in the order in which it was posted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from kernel.money import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """2100[d], 2150[d] and 1350[d]: a balance, or what one journal changes of it."""

    available: Decimal = ZERO
    on_hold: Decimal = ZERO
    receivable: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.available + self.on_hold

    def plus(self, change: "Money") -> "Money":
        return Money(
            available=self.available + change.available,
            on_hold=self.on_hold + change.on_hold,
            receivable=self.receivable + change.receivable,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverPosting:
    """What one journal changed for the driver. `posted_on` is the São Paulo day that it counts to."""

    journal_id: UUID
    transaction_id: str
    event_type: str
    description: str
    reference: str | None
    posted_on: date
    occurred_at: datetime
    posted_at: datetime
    change: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """A posting, and the balance after it."""

    posting: DriverPosting
    balance: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverStatement:
    """From one posting day to another, both included."""

    driver_id: UUID
    first: date
    last: date
    opening: Money
    rows: tuple[StatementRow, ...]

    @property
    def closing(self) -> Money:
        return self.rows[-1].balance if self.rows else self.opening


def driver_statement(
    postings: Iterable[DriverPosting], *, opening: Money, driver_id: UUID, first: date, last: date
) -> DriverStatement:
    """Running balances from `opening`, over the postings in their order."""
    rows: list[StatementRow] = []
    balance = opening
    for posting in postings:
        balance = balance.plus(posting.change)
        rows.append(StatementRow(posting=posting, balance=balance))
    return DriverStatement(driver_id=driver_id, first=first, last=last, opening=opening, rows=tuple(rows))
