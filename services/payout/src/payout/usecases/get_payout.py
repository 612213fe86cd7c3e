"""One payout."""

from uuid import UUID

from kernel.refusals import NotFound
from payout.domain.payout import Payout
from payout.ports import Tx


async def get_payout(tx: Tx, *, payout_id: UUID, driver_id: UUID | None) -> Payout:
    """NotFound when there is none, or when it is not `driver_id`'s (None: an admin, who sees all)."""
    payout = await tx.payouts.get(payout_id)
    if payout is None or driver_id not in (None, payout.driver_id):
        raise NotFound(str(payout_id))
    return payout
