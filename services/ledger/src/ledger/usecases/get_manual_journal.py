"""One proposal of a manual journal."""

from uuid import UUID

from kernel.refusals import NotFound
from ledger.domain.manual import Proposal
from ledger.ports import Tx


async def get_manual_journal(tx: Tx, *, proposal_id: UUID) -> Proposal:
    """NotFound."""
    found = await tx.manual_journals.get(proposal_id)
    if found is None:
        raise NotFound(str(proposal_id))
    return found
