"""Undoing a journal: new entries on the other side. The original stays as it is."""

from functools import partial
from typing import Final
from uuid import UUID

from kernel.refusals import Refusal
from ledger.domain.instruction import Context, Instruction, Outcome
from ledger.domain.journal import OPPOSITE, Draft, Entry, Journal, Line

REVERSED: Final = "ledger.reversed"


class AlreadyReversed(Refusal):
    """A journal is reversed once."""

    code = "already_reversed"
    pt = "Este lançamento já foi estornado."
    en = "This journal is already reversed."


class NotReversible(Refusal):
    """A reversal is not reversed: post what is right instead."""

    code = "not_reversible"
    pt = "Um estorno não pode ser estornado."
    en = "A reversal cannot be reversed."


def reversal_id(transaction_id: str) -> str:
    """The transaction id of the reversal of a transaction."""
    return f"{transaction_id}_reversal"


def reverse(journal: Journal, *, context: Context, description: str, event_type: str = REVERSED) -> Draft:
    """The journal that undoes `journal`; AlreadyReversed or NotReversible when it may not be undone."""
    if journal.draft.reverses is not None:
        raise NotReversible(journal.draft.transaction_id)
    if context.reversed(journal):
        raise AlreadyReversed(journal.draft.transaction_id)
    original = journal.draft
    return Draft(
        transaction_id=reversal_id(original.transaction_id),
        event_type=event_type,
        entity_type=original.entity_type,
        entity_id=original.entity_id,
        reference_number=original.reference_number,
        description=description,
        driver_id=original.driver_id,
        lines=tuple(_undo(entry) for entry in journal.entries),
        reverses=journal.id,
    )


def _undo(entry: Entry) -> Line:
    line = entry.line
    return Line(
        account_code=line.account_code,
        entry_type=OPPOSITE[line.entry_type],
        amount=line.amount,
        driver_id=line.driver_id,
        passenger_id=line.passenger_id,
        reverses=entry.id,
    )


def reversal(journal: Journal, *, reason: str) -> Instruction:
    """The instruction to undo a posted journal in full, on someone's order."""
    return Instruction(
        external_id=f"reversal:{journal.draft.transaction_id}",
        event_type=REVERSED,
        entity_type=journal.draft.entity_type,
        entity_id=journal.draft.entity_id,
        amount=journal.total,
        occurred_at=journal.occurred_at,
        rule=partial(_reverse_found, journal.id, reason),
        driver_id=journal.draft.driver_id,
        other_drivers=journal.draft.drivers,
        metadata={"reason": reason},
        entries_max=len(journal.entries),
    )


def _reverse_found(journal_id: UUID, reason: str, context: Context) -> Outcome:
    journal = next(j for j in context.history if j.id == journal_id)
    return Outcome(drafts=(reverse(journal, context=context, description=reason),), reason=reason)
