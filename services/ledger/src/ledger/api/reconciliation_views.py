"""Reconciliation as administrators see it."""

from datetime import date, datetime
from uuid import UUID

from contracts.base import Money
from ledger.domain.bank_day import BankDay
from ledger.domain.cases import Case
from web import View


class CaseView(View):
    """What someone must look at, and what they found."""

    id: UUID
    kind: str
    status: str
    reference: str
    amount: Money
    detail: str
    day: date | None
    line_id: str | None
    journal_id: UUID | None
    opened_at: datetime
    resolution: str | None
    note: str | None
    resolution_journal: UUID | None
    resolved_by: UUID | None
    resolved_at: datetime | None

    @classmethod
    def of(cls, case: Case) -> "CaseView":
        return cls(
            id=case.id,
            kind=case.kind,
            status=case.status,
            reference=case.reference,
            amount=case.amount,
            detail=case.difference.detail,
            day=case.day,
            line_id=case.line_id,
            journal_id=case.journal_id,
            opened_at=case.opened_at,
            resolution=case.resolution,
            note=case.note,
            resolution_journal=case.resolution_journal,
            resolved_by=case.resolved_by,
            resolved_at=case.resolved_at,
        )


class StatementSideView(View):
    """What Efí's statement says: `lines` announced, `arrived` here, `matched` with the books."""

    lines: int
    arrived: int
    matched: int
    came_in: Money
    went_out: Money
    balance: Money | None
    closed_at: datetime


class BooksSideView(View):
    """What moved on BANCO_CORRENTE by occurred time; `entries_alone` have no line."""

    came_in: Money
    went_out: Money
    entries_alone: int


class BankDayView(View):
    """`difference` is what the books moved less what the statement says; `gap` the bank's balance less ours."""

    day: date
    statement: StatementSideView
    books: BooksSideView
    difference: Money
    gap: Money | None
    cases: int
    open_cases: int
    checked_at: datetime | None

    @classmethod
    def of(cls, found: BankDay) -> "BankDayView":
        return cls(
            day=found.day,
            statement=StatementSideView(
                lines=found.line_count,
                arrived=found.arrived,
                matched=found.matched,
                came_in=found.came_in,
                went_out=found.went_out,
                balance=found.balance,
                closed_at=found.closed_at,
            ),
            books=BooksSideView(
                came_in=found.booked_in, went_out=found.booked_out, entries_alone=found.entries_alone
            ),
            difference=found.difference,
            gap=found.gap,
            cases=found.cases,
            open_cases=found.open_cases,
            checked_at=found.checked_at,
        )
