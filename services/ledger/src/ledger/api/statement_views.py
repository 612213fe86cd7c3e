"""A driver's statement as JSON."""

from datetime import date, datetime
from uuid import UUID

from contracts.base import Money
from ledger.domain import driver_statement as statement
from ledger.domain.driver_statement import DriverStatement, StatementRow
from web import View


class MoneyView(View):
    """`available` can be paid out, `on_hold` is on its way, `total` is both, `receivable` is owed back."""

    total: Money
    on_hold: Money
    available: Money
    receivable: Money

    @classmethod
    def of(cls, money: statement.Money) -> "MoneyView":
        return cls(
            total=money.total,
            on_hold=money.on_hold,
            available=money.available,
            receivable=money.receivable,
        )


class RowView(View):
    """One journal: what it changed, and the balance after it. It counts to the day of its posting."""

    journal_id: UUID
    transaction_id: str
    event_type: str
    description: str
    reference: str | None
    posted_on: date
    occurred_at: datetime
    posted_at: datetime
    change: MoneyView
    balance: MoneyView

    @classmethod
    def of(cls, row: StatementRow) -> "RowView":
        posting = row.posting
        return cls(
            journal_id=posting.journal_id,
            transaction_id=posting.transaction_id,
            event_type=posting.event_type,
            description=posting.description,
            reference=posting.reference,
            posted_on=posting.posted_on,
            occurred_at=posting.occurred_at,
            posted_at=posting.posted_at,
            change=MoneyView.of(posting.change),
            balance=MoneyView.of(row.balance),
        )


class StatementView(View):
    """From the balance before `from` to the balance at the end of `to`."""

    driver_id: UUID
    currency: str
    first: date
    last: date
    opening: MoneyView
    lines: list[RowView]
    closing: MoneyView

    @classmethod
    def of(cls, found: DriverStatement) -> "StatementView":
        return cls(
            driver_id=found.driver_id,
            currency="BRL",
            first=found.first,
            last=found.last,
            opening=MoneyView.of(found.opening),
            lines=[RowView.of(row) for row in found.rows],
            closing=MoneyView.of(found.closing),
        )
