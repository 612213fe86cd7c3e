"""Orders to the books from a person at a terminal, as JSON: `ledger journal < order.json`."""

from typing import Self

from pydantic import model_validator

from contracts.ledger import JournalLine
from ledger.domain.instruction import EntityType
from ledger.domain.journal import Draft, Line
from ledger.domain.manual import MANUAL
from web import Body


class ReversalOrder(Body):
    """Undo one transaction, and why."""

    transaction_id: str
    reason: str


class JournalOrder(Body):
    """A journal to post, such as the owners' capital: D 1100 / C 3100."""

    transaction_id: str
    description: str
    reference_number: str | None = None
    lines: tuple[JournalLine, ...]

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.transaction_id or not self.description:
            raise ValueError("a journal has an id and a description")
        return self

    def draft(self) -> Draft:
        """The journal that is ordered."""
        return Draft(
            transaction_id=self.transaction_id,
            event_type=MANUAL,
            entity_type=EntityType.MANUAL,
            entity_id=self.transaction_id,
            description=self.description,
            reference_number=self.reference_number,
            lines=tuple(_line(line) for line in self.lines),
        )


def _line(line: JournalLine) -> Line:
    return Line(
        account_code=line.account_code,
        entry_type=line.entry_type,
        amount=line.amount,
        driver_id=line.driver_id,
        passenger_id=line.passenger_id,
    )
