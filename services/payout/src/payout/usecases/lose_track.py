"""Nobody knows whether the bank has the send."""

from datetime import datetime
from uuid import UUID

from kernel.refusals import NotFound
from payout.domain.payout import Payout
from payout.domain.policy import Policy
from payout.domain.step import Step
from payout.ports import Tx


async def lose_track(tx: Tx, *, payout_id: UUID, policy: Policy, now: datetime) -> Payout:
    """UNKNOWN until the bank says otherwise; the next question follows soon.

    Where the bank has said something meanwhile, that stands.
    """
    payout = await tx.payouts.lock(payout_id)
    if payout is None:
        raise NotFound(str(payout_id))
    if payout.step not in (Step.SENDING, Step.UNKNOWN):
        return payout
    lost = payout.lose_track()
    assert lost.asked_at is not None, "a send in flight was started"
    await tx.payouts.save(lost, due_at=policy.next_poll(since=lost.asked_at, now=now))
    return lost
