"""Propose a manual journal."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from kernel.actor import Actor
from ledger.domain.journal import Line
from ledger.domain.manual import Proposal, propose
from ledger.ports import Tx


async def propose_manual_journal(
    tx: Tx,
    *,
    proposal_id: UUID,
    lines: Sequence[Line],
    description: str,
    reason: str,
    reference_number: str | None,
    actor: Actor,
    now: datetime,
) -> Proposal:
    """Nothing is posted before another person approves it; InvalidJournal when it does not balance."""
    assert actor.user_id is not None, "a person proposes"
    proposal = propose(
        lines,
        proposal_id=proposal_id,
        description=description,
        reason=reason,
        reference_number=reference_number,
        by=actor.user_id,
        now=now,
    )
    await tx.manual_journals.add(proposal)
    await tx.publish(
        audited(
            "propose_manual_journal",
            entity_type="manual_journal",
            entity_id=proposal.id,
            actor=actor,
            now=now,
            after={"description": description, "amount": str(proposal.amount)},
            reason=reason,
        )
    )
    return proposal
