"""Undoing a journal: new entries on the other side. The original stays as it is."""

from decimal import Decimal
from functools import partial
from typing import Final
from uuid import UUID

from contracts.ledger import EntryType
from kernel.money import ZERO
from kernel.refusals import Refusal
from ledger.domain.chart import DRIVER_PAYABLE, DRIVER_RECEIVABLE
from ledger.domain.debt import NETTED, NETTING, repayment
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.instruction import Context, EntityType, Instruction, Outcome
from ledger.domain.journal import OPPOSITE, Draft, Entry, Journal, Line, credit, debit, without_zeros

REVERSED: Final = "ledger.reversed"


class AlreadyReversed(Refusal):
    """A journal is reversed once; one that was given back in full by refunds has nothing left."""

    code = "already_reversed"
    pt = "Este lançamento já foi estornado."
    en = "This journal is already reversed."


class NotReversible(Refusal):
    """A reversal, a refund and a payout's own steps are not reversed: post what is right instead."""

    code = "not_reversible"
    pt = "Este lançamento não pode ser estornado; lance a correção."
    en = "This journal cannot be reversed; post a correction instead."


def reversal_id(transaction_id: str) -> str:
    """The transaction id of the reversal of a transaction."""
    return f"{transaction_id}_reversal"


def undone(entry: Entry, *, context: Context) -> Decimal:
    """How much of `entry` later entries have taken back so far."""
    lines = (line for journal in context.history for line in journal.draft.lines)
    return sum((line.amount for line in lines if line.reverses == entry.id), ZERO)


def reverse(journal: Journal, *, context: Context, description: str, event_type: str = REVERSED) -> Draft:
    """The journal that undoes what is left of `journal`; AlreadyReversed or NotReversible when none may."""
    if any(line.reverses is not None for line in journal.draft.lines):
        raise NotReversible(journal.draft.transaction_id)
    if context.reversed(journal):
        raise AlreadyReversed(journal.draft.transaction_id)
    original = journal.draft
    lines = tuple(
        _undo(entry, left=entry.line.amount - undone(entry, context=context)) for entry in journal.entries
    )
    if not without_zeros(*lines):
        raise AlreadyReversed(f"{original.transaction_id} was given back in full")
    return Draft(
        transaction_id=reversal_id(original.transaction_id),
        event_type=event_type,
        entity_type=original.entity_type,
        entity_id=original.entity_id,
        reference_number=original.reference_number,
        description=description,
        driver_id=original.driver_id,
        lines=without_zeros(*lines),
        reverses=journal.id,
    )


def _undo(entry: Entry, *, left: Decimal) -> Line:
    line = entry.line
    return Line(
        account_code=line.account_code,
        entry_type=OPPOSITE[line.entry_type],
        amount=left,
        driver_id=line.driver_id,
        passenger_id=line.passenger_id,
        reverses=entry.id,
    )


def reversal(journal: Journal, *, reason: str) -> Instruction:
    """The instruction to undo what is left of a posted journal, on someone's order. NotReversible for a payout's."""
    if journal.draft.entity_type == EntityType.PAYOUT and journal.draft.drivers:
        raise NotReversible(f"{journal.draft.transaction_id}: a payout's steps follow what the bank says")
    return Instruction(
        external_id=f"reversal:{journal.draft.transaction_id}",
        event_type=REVERSED,
        entity_type=journal.draft.entity_type,
        entity_id=journal.draft.entity_id,
        amount=journal.total,
        occurred_at=journal.occurred_at,
        rule=partial(_reverse_found, journal.id, reason),
        driver_id=journal.draft.driver_id or _only(journal.draft.drivers),
        other_drivers=journal.draft.drivers,
        metadata={"reason": reason},
        entries_max=2 * len(journal.entries) + 2,
    )


def _only(drivers: frozenset[UUID]) -> UUID | None:
    return next(iter(drivers)) if len(drivers) == 1 else None


def _reverse_found(journal_id: UUID, reason: str, context: Context) -> Outcome:
    journal = next(j for j in context.history if j.id == journal_id)
    draft = reverse(journal, context=context, description=reason)
    if context.balance is None:
        return Outcome(drafts=(draft,), reason=reason)
    covered = _covered(draft, context.balance)
    netting: tuple[Line, ...] = ()
    gained = _gained(covered, context.balance.driver_id)
    if gained > ZERO and journal.draft.event_type != NETTED:
        netting = repayment(context.balance.after(covered.lines), gained=gained)
    return Outcome(drafts=(covered, *_netted(covered, netting)), reason=reason)


def _covered(draft: Draft, balance: DriverBalance) -> Draft:
    """What the driver no longer has, they owe; a debt that they have paid back already is theirs again."""
    spent = {DRIVER_PAYABLE: balance.available, DRIVER_RECEIVABLE: balance.receivable}
    lines: list[Line] = []
    for line in draft.lines:
        if line.driver_id != balance.driver_id or line.account_code not in spent or line.change > ZERO:
            lines.append(line)
            continue
        own = min(line.amount, spent[line.account_code])
        spent[line.account_code] -= own
        lines += _parts(line, own=own)
    return draft._replace(lines=tuple(lines))


def _parts(line: Line, *, own: Decimal) -> tuple[Line, ...]:
    """`own` on the line's account, the rest on the other of the two: D 2100 and D 1350, or C 1350 and C 2100."""
    side = debit if line.entry_type is EntryType.DEBIT else credit
    other = DRIVER_RECEIVABLE if line.account_code == DRIVER_PAYABLE else DRIVER_PAYABLE
    return without_zeros(
        side(line.account_code, own, driver_id=line.driver_id, reverses=line.reverses),
        side(other, line.amount - own, driver_id=line.driver_id, reverses=line.reverses),
    )


def _gained(draft: Draft, driver_id: UUID) -> Decimal:
    lines = (
        line for line in draft.lines if (line.account_code, line.driver_id) == (DRIVER_PAYABLE, driver_id)
    )
    return sum((line.change for line in lines), ZERO)


def _netted(draft: Draft, lines: tuple[Line, ...]) -> tuple[Draft, ...]:
    if not lines:
        return ()
    return (
        Draft(
            transaction_id=f"netting_{draft.transaction_id}",
            event_type=NETTED,
            entity_type=draft.entity_type,
            entity_id=draft.entity_id,
            description=NETTING,
            driver_id=lines[0].driver_id,
            lines=lines,
        ),
    )
