"""Journals, proposals of journals and closed days, as administrators see them."""

from datetime import date, datetime
from uuid import UUID

from contracts.base import Money
from contracts.ledger import EntryType
from ledger.domain.closing import ClosedDay
from ledger.domain.journal import Entry, Journal, Line
from ledger.domain.manual import Proposal
from web import View


class EntryView(View):
    """`reverses` is the id of the entry that this one undoes, whole or in part."""

    id: int
    account_code: str
    entry_type: EntryType
    amount: Money
    driver_id: UUID | None
    passenger_id: UUID | None
    reverses: int | None

    @classmethod
    def of(cls, entry: Entry) -> "EntryView":
        line = entry.line
        return cls(
            id=entry.id,
            account_code=line.account_code,
            entry_type=line.entry_type,
            amount=line.amount,
            driver_id=line.driver_id,
            passenger_id=line.passenger_id,
            reverses=line.reverses,
        )


class JournalView(View):
    """A posted journal. `reverses` is the id of the journal that this one undoes."""

    id: UUID
    transaction_id: str
    event_type: str
    entity_type: str
    entity_id: str
    reference_number: str | None
    description: str
    driver_id: UUID | None
    reverses: UUID | None
    posted_on: date
    occurred_at: datetime
    posted_at: datetime
    amount: Money
    entries: list[EntryView]

    @classmethod
    def of(cls, journal: Journal) -> "JournalView":
        draft = journal.draft
        return cls(
            id=journal.id,
            transaction_id=draft.transaction_id,
            event_type=draft.event_type,
            entity_type=draft.entity_type,
            entity_id=draft.entity_id,
            reference_number=draft.reference_number,
            description=draft.description,
            driver_id=draft.driver_id,
            reverses=draft.reverses,
            posted_on=journal.transaction_date,
            occurred_at=journal.occurred_at,
            posted_at=journal.posted_at,
            amount=journal.total,
            entries=[EntryView.of(entry) for entry in journal.entries],
        )


class ProposedLineView(View):
    account_code: str
    entry_type: EntryType
    amount: Money
    driver_id: UUID | None
    passenger_id: UUID | None

    @classmethod
    def of(cls, line: Line) -> "ProposedLineView":
        return cls(
            account_code=line.account_code,
            entry_type=line.entry_type,
            amount=line.amount,
            driver_id=line.driver_id,
            passenger_id=line.passenger_id,
        )


class ProposalView(View):
    """A manual journal: proposed by one admin, approved or rejected by another; posted when approved."""

    id: UUID
    transaction_id: str
    status: str
    description: str
    reason: str
    reference_number: str | None
    amount: Money
    lines: list[ProposedLineView]
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision_reason: str | None

    @classmethod
    def of(cls, proposal: Proposal) -> "ProposalView":
        return cls(
            id=proposal.id,
            transaction_id=proposal.transaction_id,
            status=proposal.status,
            description=proposal.description,
            reason=proposal.reason,
            reference_number=proposal.reference_number,
            amount=proposal.amount,
            lines=[ProposedLineView.of(line) for line in proposal.lines],
            proposed_by=proposal.proposed_by,
            proposed_at=proposal.proposed_at,
            decided_by=proposal.decided_by,
            decided_at=proposal.decided_at,
            decision_reason=proposal.decision_reason,
        )


class ClosedDayView(View):
    """A day that someone signed for."""

    day: date
    closed_by: UUID
    closed_at: datetime

    @classmethod
    def of(cls, closed: ClosedDay) -> "ClosedDayView":
        return cls(day=closed.day, closed_by=closed.closed_by, closed_at=closed.closed_at)
