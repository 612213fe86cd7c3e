"""Everything that is on record about one payout."""

from uuid import UUID

from kernel.refusals import NotFound
from payout.domain.history import History
from payout.ports import Tx


async def inspect_payout(tx: Tx, *, payout_id: UUID) -> History:
    """The payout, its attempts, returns and contradictions, oldest first; NotFound."""
    payout = await tx.payouts.get(payout_id)
    if payout is None:
        raise NotFound(str(payout_id))
    return History(
        payout=payout,
        attempts=tuple(await tx.attempts.list_of(payout_id)),
        returns=tuple(await tx.payouts.returns_of(payout_id)),
        contradictions=tuple(await tx.payouts.contradictions_of(payout_id)),
    )
