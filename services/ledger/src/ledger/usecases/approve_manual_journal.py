"""Approve a proposed journal, and post it."""

from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from kernel.actor import Actor
from kernel.refusals import NotFound
from ledger.domain.manual import Proposal
from ledger.ports import Tx
from ledger.usecases.create_journal_entry import create_journal_entry


async def approve_manual_journal(tx: Tx, *, proposal_id: UUID, actor: Actor, now: datetime) -> Proposal:
    """Posted once, with the approval. NotFound, AlreadyDecided, FourEyes, NegativeBalance."""
    assert actor.user_id is not None, "a person approves"
    found = await tx.manual_journals.get(proposal_id, lock=True)
    if found is None:
        raise NotFound(str(proposal_id))
    approved = found.approve(actor.user_id, now=now)
    await tx.manual_journals.decide(approved)
    await create_journal_entry(tx, draft=approved.draft(), actor=actor, now=now)
    await tx.publish(
        audited(
            "approve_manual_journal",
            entity_type="manual_journal",
            entity_id=proposal_id,
            actor=actor,
            now=now,
            before={"status": found.status.value, "proposed_by": str(found.proposed_by)},
            after={"status": approved.status.value, "transaction_id": approved.transaction_id},
            reason=approved.reason,
        )
    )
    return approved
