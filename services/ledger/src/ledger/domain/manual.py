"""A journal that people order, such as the owners' capital: one proposes it, another approves it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from kernel.refusals import Refusal
from ledger.domain.instruction import EntityType, Instruction, Outcome
from ledger.domain.journal import Draft, InvalidJournal, Line, debit_total, validate_double_entry

MANUAL: Final = "journal.manual"
# A financial event's amount has ten digits.
MOST: Final = Decimal("99999999.99")


class AlreadyPosted(Refusal):
    """The transaction id is taken: a journal is posted once."""

    code = "already_posted"
    pt = "Este lançamento já existe."
    en = "This journal is already posted."


class FourEyes(Refusal):
    """Who proposes a journal does not approve it."""

    code = "four_eyes"
    status = 403
    pt = "Quem propõe um lançamento não o aprova: peça a outra pessoa."
    en = "Whoever proposes a journal does not approve it: ask another person."


class AlreadyDecided(Refusal):
    """The proposal was approved or rejected before."""

    code = "already_decided"
    pt = "Esta proposta já foi decidida."
    en = "This proposal is already decided."


class ProposalStatus(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A manual journal before and after it was decided. It is posted when it is approved, and only then."""

    id: UUID
    transaction_id: str
    description: str
    reason: str
    reference_number: str | None
    lines: tuple[Line, ...]
    proposed_by: UUID
    proposed_at: datetime
    status: ProposalStatus = ProposalStatus.PROPOSED
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None

    @property
    def amount(self) -> Decimal:
        """The sum of one side."""
        return debit_total(self.lines)

    def draft(self) -> Draft:
        """The journal as it will be posted."""
        return Draft(
            transaction_id=self.transaction_id,
            event_type=MANUAL,
            entity_type=EntityType.MANUAL,
            entity_id=self.transaction_id,
            description=self.description,
            reference_number=self.reference_number,
            lines=self.lines,
        )

    def approve(self, by: UUID, *, now: datetime) -> "Proposal":
        """AlreadyDecided, or FourEyes when `by` proposed it."""
        if by == self.proposed_by:
            raise FourEyes(self.transaction_id)
        return self._decided(ProposalStatus.APPROVED, by, None, now=now)

    def reject(self, by: UUID, *, reason: str, now: datetime) -> "Proposal":
        """AlreadyDecided; whoever proposed it may take it back."""
        return self._decided(ProposalStatus.REJECTED, by, reason, now=now)

    def _decided(self, status: ProposalStatus, by: UUID, reason: str | None, *, now: datetime) -> "Proposal":
        if self.status is not ProposalStatus.PROPOSED:
            raise AlreadyDecided(self.transaction_id)
        return replace(self, status=status, decided_by=by, decided_at=now, decision_reason=reason)


def propose(
    lines: Sequence[Line],
    *,
    proposal_id: UUID,
    description: str,
    reason: str,
    reference_number: str | None,
    by: UUID,
    now: datetime,
) -> Proposal:
    """A proposal; InvalidJournal when double entry does not allow its lines, or they move more than `MOST`."""
    validate_double_entry(lines)
    if debit_total(lines) > MOST:
        raise InvalidJournal(f"a journal moves {MOST} at most")
    return Proposal(
        id=proposal_id,
        transaction_id=f"manual_{proposal_id}",
        description=description,
        reason=reason,
        reference_number=reference_number,
        lines=tuple(lines),
        proposed_by=by,
        proposed_at=now,
    )


def manual_entry(draft: Draft, *, now: datetime) -> Instruction:
    """The instruction to post `draft` as it is; InvalidJournal when double entry does not allow it."""
    validate_double_entry(draft.lines)
    return Instruction(
        external_id=f"journal:{draft.transaction_id}",
        event_type=draft.event_type,
        entity_type=draft.entity_type,
        entity_id=draft.entity_id,
        amount=debit_total(draft.lines),
        occurred_at=now,
        rule=lambda _context: Outcome(drafts=(draft,)),
        other_drivers=draft.drivers,
        entries_max=len(draft.lines),
    )
