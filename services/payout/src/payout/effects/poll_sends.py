"""Ask the bank about sends under way, and whether completed ones came back."""

from payout.domain.payout import Payout
from payout.domain.send import SendProblem, SendReport
from payout.domain.step import Step
from payout.metrics import CONTRADICTIONS, count_move
from payout.ports import Deps
from payout.usecases.settle_send import settle_send
from telemetry import get_logger
from telemetry.tracing import span

log = get_logger(__name__)


async def poll_sends(deps: Deps) -> int:
    """Often in a send's first seconds, then up to the janitor's interval; how many were due.

    A failed payout is due because a webhook spoke of it, or because its failure followed a doubt: whatever
    but a rejection contradicts.
    """
    now = deps.now()
    async with deps.transaction() as tx:
        due = await tx.payouts.claim_due(
            {Step.SENT, Step.COMPLETED, Step.RETURNED, Step.FAILED},
            now=now,
            until=deps.policy.lease(now=now),
            limit=deps.policy.batch,
        )
    for payout in due:
        with span("poll_sends", attributes={"payout_id": str(payout.id)}):
            await _ask(deps, payout)
    return len(due)


async def _ask(deps: Deps, payout: Payout) -> None:
    try:
        report = await deps.bank.find(payout.sent_as)
    except SendProblem as problem:
        log.warning("poll_sends", payout_id=str(payout.id), outcome=type(problem).__name__)
        report = None
    if report is None:
        await _ask_again(deps, payout)
        return
    await _settle(deps, payout, report)


async def _settle(deps: Deps, payout: Payout, report: SendReport) -> None:
    async with deps.transaction() as tx:
        settled = await settle_send(
            tx, payout_id=payout.id, report=report, policy=deps.policy, now=deps.now()
        )
    if settled.contradictions:
        CONTRADICTIONS.inc(settled.contradictions)
        log.error("poll_sends", payout_id=str(payout.id), outcome="contradicted", state=report.state.value)
    count_move(payout, settled.payout)


async def _ask_again(deps: Deps, payout: Payout) -> None:
    now = deps.now()
    if payout.failed_at is not None:
        due_at = deps.policy.next_check(failed_at=payout.failed_at, now=now)
    else:
        due_at = deps.policy.next_poll(since=payout.asked_at or now, now=now)
    async with deps.transaction() as tx:
        await tx.payouts.postpone(payout.id, due_at=due_at)
