"""Orders to the books: from a person at a terminal as JSON, and the bodies of requests."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.ledger import EntryType
from ledger.api.days import Day
from ledger.domain.cases import Resolution
from ledger.domain.journal import Line
from web import Body, MoneyIn

Text = Annotated[str, Field(min_length=1, max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class LineOrder(Body):
    """One side of a journal."""

    account_code: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    entry_type: EntryType
    amount: MoneyIn
    driver_id: UUID | None = None
    passenger_id: UUID | None = None

    def line(self) -> Line:
        return Line(
            account_code=self.account_code,
            entry_type=self.entry_type,
            amount=self.amount,
            driver_id=self.driver_id,
            passenger_id=self.passenger_id,
        )


class JournalOrder(Body):
    """A journal to propose, such as the owners' capital: D 1100 / C 3100."""

    description: Text
    reason: Text
    reference_number: Name | None = None
    lines: Annotated[tuple[LineOrder, ...], Field(min_length=2, max_length=100)]

    def drafted(self) -> tuple[Line, ...]:
        """Its lines."""
        return tuple(line.line() for line in self.lines)


class ReasonOrder(Body):
    """Why."""

    reason: Text


class DayOrder(Body):
    """A day to close."""

    day: Day


class ResolutionOrder(Body):
    """What a case was. `journal` (an id or transaction id) goes with corrected_by_journal."""

    resolution: Resolution
    note: Text
    journal: Name | None = None


class TerminalReversal(Body):
    """Undo one transaction, and why."""

    transaction_id: Name
    reason: Text
