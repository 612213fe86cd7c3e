"""Reject a proposed journal."""

from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from kernel.actor import Actor
from kernel.refusals import NotFound
from ledger.domain.manual import Proposal
from ledger.ports import Tx


async def reject_manual_journal(
    tx: Tx, *, proposal_id: UUID, reason: str, actor: Actor, now: datetime
) -> Proposal:
    """It is never posted. NotFound, AlreadyDecided; whoever proposed it may take it back."""
    assert actor.user_id is not None, "a person rejects"
    found = await tx.manual_journals.get(proposal_id, lock=True)
    if found is None:
        raise NotFound(str(proposal_id))
    rejected = found.reject(actor.user_id, reason=reason, now=now)
    await tx.manual_journals.decide(rejected)
    await tx.publish(
        audited(
            "reject_manual_journal",
            entity_type="manual_journal",
            entity_id=proposal_id,
            actor=actor,
            now=now,
            before={"status": found.status.value},
            after={"status": rejected.status.value},
            reason=reason,
        )
    )
    return rejected
