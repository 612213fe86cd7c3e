"""Note that a send is about to be made."""

from datetime import datetime
from uuid import UUID

from kernel.refusals import NotFound
from payout.domain.payout import Payout
from payout.ports import Tx


async def start_sending(
    tx: Tx, *, payout_id: UUID, attempt_id: UUID, until: datetime, now: datetime
) -> Payout:
    """Commit the idEnvio and an attempt before the bank hears of them: a crash leaves a trace to follow.

    IllegalTransition when the payout may not be sent (any more).
    """
    payout = await tx.payouts.lock(payout_id)
    if payout is None:
        raise NotFound(str(payout_id))
    sending = payout.start_sending(now=now)
    await tx.payouts.save(sending, due_at=until)
    await tx.attempts.start(sending, attempt_id=attempt_id, now=now)
    return sending
