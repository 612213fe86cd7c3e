"""Ask identity where the money goes, and keep the answer sealed."""

from payout.domain.bank_details import Payee
from payout.domain.payout import Payout
from payout.domain.standing import obstacle
from payout.domain.step import Step
from payout.metrics import DIRECTORY_FAILURES, count_move
from payout.ports import Deps, DirectoryAway
from payout.usecases.fail_payout import fail_payout
from payout.usecases.prepare_payout import prepare_payout
from telemetry import get_logger
from telemetry.tracing import span

log = get_logger(__name__)


async def take_bank_snapshot(deps: Deps) -> int:
    """For each payout that was requested; how many were due. While identity is away they wait.

    What was checked at the request is checked again: the driver may have been suspended, or have changed the
    key, in between.
    """
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
        payee = await deps.directory.payee(payout.driver_id)
    except DirectoryAway as error:
        DIRECTORY_FAILURES.inc()
        log.warning("take_bank_snapshot", payout_id=str(payout.id), outcome="away", reason=str(error))
        await _wait(deps, payout)
        return
    after = await _store(deps, payout, payee)
    count_move(payout, after)
    log.info("take_bank_snapshot", payout_id=str(payout.id), step=after.step.value)


async def _store(deps: Deps, payout: Payout, payee: Payee | None) -> Payout:
    now = deps.now()
    async with deps.transaction() as tx:
        standing = await tx.standings.get(payout.driver_id)
        reason = obstacle(payee, standing, now=now, cooling_s=deps.policy.pix_key_cooling_s)
        if reason is not None:
            return await fail_payout(tx, payout_id=payout.id, reason=reason, now=now)
        assert payee is not None, "that would be an obstacle"
        assert payee.details is not None, "and so would that"
        snapshot = deps.vault.seal(payee.details)
        return await prepare_payout(tx, payout_id=payout.id, snapshot=snapshot, now=now)


async def _wait(deps: Deps, payout: Payout) -> None:
    due_at = deps.policy.next_retry(since=payout.created_at, now=deps.now())
    async with deps.transaction() as tx:
        await tx.payouts.postpone(payout.id, due_at=due_at)
