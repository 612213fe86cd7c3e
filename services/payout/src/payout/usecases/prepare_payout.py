"""Keep the bank snapshot and let the ledger decide."""

from datetime import datetime
from uuid import UUID

from kernel.refusals import NotFound
from payout.domain.bank_details import Snapshot
from payout.domain.payout import Payout
from payout.domain.step import Step
from payout.ports import Tx


async def prepare_payout(tx: Tx, *, payout_id: UUID, snapshot: Snapshot, now: datetime) -> Payout:
    """REQUESTED becomes READY; a payout that is further already stays as it is."""
    payout = await tx.payouts.lock(payout_id)
    if payout is None:
        raise NotFound(str(payout_id))
    if payout.step is not Step.REQUESTED:
        return payout
    ready, fact = payout.prepare(snapshot, now=now)
    await tx.payouts.save(ready, due_at=None)
    await tx.publish(fact)
    return ready
