"""Send what the ledger holds, one at a time."""

from kernel.refusals import Refusal
from payout.domain.step import Step
from payout.effects.send_pix import send_pix
from payout.ports import Deps
from telemetry import get_logger
from telemetry.tracing import span

log = get_logger(__name__)


async def process_payout(deps: Deps) -> int:
    """Every payout that is due to be sent, or whose send is in doubt; how many there were.

    One call at a time for the whole account (the job holds an advisory lock): Efí advises against concurrent
    sends. A payout is claimed just before its call, so that no lease runs out while it waits its turn.
    """
    sent = 0
    while await _send_next(deps):
        sent += 1
    return sent


async def _send_next(deps: Deps) -> bool:
    now = deps.now()
    async with deps.transaction() as tx:
        claimed = await tx.payouts.claim_due(
            {Step.HELD, Step.SENDING, Step.UNKNOWN}, now=now, until=deps.policy.lease(now=now), limit=1
        )
    for payout in claimed:
        with span("process_payout", attributes={"payout_id": str(payout.id)}):
            try:
                await send_pix(deps, payout=payout)
            except Refusal as refusal:
                log.error("process_payout", payout_id=str(payout.id), code=refusal.code)
    return bool(claimed)
