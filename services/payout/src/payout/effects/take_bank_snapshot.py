"""Ask identity where the money goes, and keep the answer sealed."""

from payout.domain.bank_details import BankDetails
from payout.domain.payout import FailureReason, Payout, Step
from payout.metrics import DIRECTORY_FAILURES, count_move
from payout.ports import Deps, DirectoryAway
from payout.usecases.fail_payout import fail_payout
from payout.usecases.prepare_payout import prepare_payout
from telemetry import get_logger
from telemetry.tracing import span

log = get_logger(__name__)


async def take_bank_snapshot(deps: Deps) -> int:
    """For each payout that was requested; how many were due. While identity is away they wait."""
    now = deps.now()
    async with deps.transaction() as tx:
        due = await tx.payouts.claim_due(
            {Step.REQUESTED}, now=now, until=deps.policy.lease(now=now), limit=deps.policy.batch
        )
    for payout in due:
        with span("take_bank_snapshot", attributes={"payout_id": str(payout.id)}):
            await _take(deps, payout)
    return len(due)


async def _take(deps: Deps, payout: Payout) -> None:
    try:
        details = await deps.directory.bank_details(payout.driver_id)
    except DirectoryAway as error:
        DIRECTORY_FAILURES.inc()
        log.warning("take_bank_snapshot", payout_id=str(payout.id), outcome="away", reason=str(error))
        await _wait(deps, payout)
        return
    after = await _store(deps, payout, details)
    count_move(payout, after)
    log.info("take_bank_snapshot", payout_id=str(payout.id), step=after.step.value)


async def _store(deps: Deps, payout: Payout, details: BankDetails | None) -> Payout:
    async with deps.transaction() as tx:
        if details is None:
            return await fail_payout(tx, payout_id=payout.id, reason=FailureReason.NO_PIX_KEY, now=deps.now())
        return await prepare_payout(
            tx, payout_id=payout.id, snapshot=deps.vault.seal(details), now=deps.now()
        )


async def _wait(deps: Deps, payout: Payout) -> None:
    due_at = deps.policy.next_retry(since=payout.created_at, now=deps.now())
    async with deps.transaction() as tx:
        await tx.payouts.postpone(payout.id, due_at=due_at)
