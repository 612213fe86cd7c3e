"""The ledger holds the amount: the payout may be sent."""

from datetime import datetime
from uuid import UUID

from kernel.refusals import NotFound
from payout.domain.payout import Payout
from payout.ports import Tx


async def hold_payout(tx: Tx, *, payout_id: UUID, balance_version: int, now: datetime) -> Payout:
    """READY becomes HELD, once; NotFound for a payout that is not ours."""
    payout = await tx.payouts.lock(payout_id)
    if payout is None:
        raise NotFound(str(payout_id))
    if payout.held:
        return payout
    held = payout.hold(balance_version=balance_version)
    await tx.payouts.save(held, due_at=now)
    return held
