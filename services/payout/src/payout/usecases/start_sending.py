"""Note that a send is about to be made."""

from datetime import datetime
from uuid import UUID

from kernel.refusals import NotFound
from payout.domain.payout import IllegalTransition, Payout
from payout.domain.step import FailureReason, Step
from payout.ports import Tx
from payout.usecases.fail_payout import fail_payout


async def start_sending(
    tx: Tx, *, payout_id: UUID, version: int, attempt_id: UUID, until: datetime, now: datetime
) -> Payout:
    """Commit the idEnvio and an attempt before the bank hears of them: a crash leaves a trace to follow.

    The payout of a driver who was suspended meanwhile fails instead, unless a send of it was begun: that is
    for the bank to end. IllegalTransition when the payout may not be sent (any more), and when it is not the
    `version` that was claimed: what somebody else tried since then is unknown here.
    """
    payout = await tx.payouts.lock(payout_id)
    if payout is None:
        raise NotFound(str(payout_id))
    if payout.version != version:
        raise IllegalTransition(f"payout {payout_id} moved on since it was claimed")
    if payout.step is Step.HELD and await _suspended(tx, payout.driver_id):
        return await fail_payout(tx, payout_id=payout_id, reason=FailureReason.ACCOUNT_NOT_ACTIVE, now=now)
    sending = payout.start_sending(now=now)
    await tx.payouts.save(sending, due_at=until)
    await tx.attempts.start(sending, attempt_id=attempt_id, now=now)
    return sending


async def _suspended(tx: Tx, driver_id: UUID) -> bool:
    standing = await tx.standings.get(driver_id)
    return standing is not None and not standing.active
