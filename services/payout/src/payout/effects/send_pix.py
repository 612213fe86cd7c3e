"""Make one send, under the one idEnvio that its payout ever has."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from kernel.ids import new_id
from payout.domain.payout import Payout
from payout.domain.send import (
    Outcome,
    SendNotMade,
    SendProblem,
    SendRefused,
    SendReport,
    SendUnclear,
)
from payout.domain.step import Step, reason_of
from payout.metrics import CONTRADICTIONS, SEND_ATTEMPTS, count_move
from payout.ports import Deps, Tx
from payout.usecases.fail_payout import fail_payout
from payout.usecases.lose_track import lose_track
from payout.usecases.settle_send import Settled, settle_send
from payout.usecases.start_sending import start_sending
from telemetry import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How an attempt ended: `report` when the bank answered, `code` when it refused, `wait_s` when it is busy."""

    outcome: Outcome
    report: SendReport | None = None
    code: str | None = None
    wait_s: float | None = None


async def send_pix(deps: Deps, *, payout: Payout) -> None:
    """Send, and store what the bank answered.

    When an earlier attempt may have got through, the bank is asked first; it is given the same idEnvio again
    only if it does not know it some time later, and a refusal counts only if it still does not know it.
    """
    doubtful = payout.step is not Step.HELD and await _maybe_sent(deps, payout)
    if doubtful and not await _may_send_again(deps, payout):
        return
    attempt_id = new_id()
    async with deps.transaction() as tx:
        now = deps.now()
        sending = await start_sending(
            tx,
            payout_id=payout.id,
            version=payout.version,
            attempt_id=attempt_id,
            until=deps.policy.lease(now=now),
            now=now,
        )
    if sending.step is Step.FAILED:
        count_move(payout, sending)
        log.info("send_pix", payout_id=str(payout.id), outcome="stopped", step=sending.step.value)
        return
    answer = await _ask_to_send(deps, sending)
    if answer.outcome is Outcome.REFUSED and doubtful:
        answer = await _second_opinion(deps, sending, refused=answer)
    await _store(deps, sending, attempt_id=attempt_id, answer=answer, doubtful=doubtful)


async def _maybe_sent(deps: Deps, payout: Payout) -> bool:
    async with deps.transaction() as tx:
        return await tx.attempts.last_unclear_at(payout.id) is not None


async def _may_send_again(deps: Deps, payout: Payout) -> bool:
    """Whether the bank still does not know the idEnvio, long enough after the last unclear attempt."""
    try:
        report = await deps.bank.find(payout.sent_as)
    except SendProblem as problem:
        log.warning("find_send", payout_id=str(payout.id), outcome=type(problem).__name__)
        await _keep_asking(deps, payout)
        return False
    if report is not None:
        await _settle_found(deps, payout, report)
        return False
    async with deps.transaction() as tx:
        unclear_at = await tx.attempts.last_unclear_at(payout.id)
    patience = timedelta(seconds=deps.policy.resend_after_s)
    if unclear_at is not None and deps.now() < unclear_at + patience:
        await _keep_asking(deps, payout)
        return False
    return True


async def _ask_to_send(deps: Deps, payout: Payout) -> Answer:
    assert payout.snapshot is not None, "a payout is prepared before it is held"
    details = deps.vault.open(payout.snapshot)
    try:
        report = await deps.bank.send(payout.sent_as, amount=payout.amount, details=details)
    except SendRefused as refusal:
        return Answer(outcome=Outcome.REFUSED, code=refusal.code)
    except SendNotMade as problem:
        return Answer(outcome=Outcome.NOT_MADE, wait_s=problem.wait_s)
    except SendUnclear:
        return Answer(outcome=Outcome.UNCLEAR)
    return Answer(outcome=Outcome.ANSWERED, report=report)


async def _second_opinion(deps: Deps, payout: Payout, *, refused: Answer) -> Answer:
    try:
        report = await deps.bank.find(payout.sent_as)
    except SendProblem:
        return Answer(outcome=Outcome.UNCLEAR)
    return refused if report is None else Answer(outcome=Outcome.ANSWERED, report=report)


async def _store(deps: Deps, payout: Payout, *, attempt_id: UUID, answer: Answer, doubtful: bool) -> None:
    """The attempt's end and what follows from it, in one transaction: a crash before it leaves a doubt."""
    async with deps.transaction() as tx:
        await tx.attempts.finish(attempt_id, outcome=answer.outcome, code=answer.code, now=deps.now())
        settled = await _follow_up(tx, deps, payout, answer, doubtful=doubtful)
    _count(payout, settled)
    SEND_ATTEMPTS.labels(outcome=answer.outcome.value).inc()
    log.info(
        "send_pix",
        payout_id=str(payout.id),
        outcome=answer.outcome.value,
        code=answer.code,
        step=settled.payout.step.value,
    )


async def _follow_up(tx: Tx, deps: Deps, payout: Payout, answer: Answer, *, doubtful: bool) -> Settled:
    now = deps.now()
    if answer.report is not None:
        return await settle_send(tx, payout_id=payout.id, report=answer.report, policy=deps.policy, now=now)
    if answer.outcome is Outcome.UNCLEAR:
        return Settled(payout=await lose_track(tx, payout_id=payout.id, policy=deps.policy, now=now))
    if answer.outcome is Outcome.REFUSED:
        return Settled(payout=await _refused(tx, deps, payout, answer, doubtful=doubtful))
    due_at = deps.policy.next_retry(since=payout.asked_at or now, now=now, wait_s=answer.wait_s)
    await tx.payouts.postpone(payout.id, due_at=due_at)
    return Settled(payout=payout)


async def _refused(tx: Tx, deps: Deps, payout: Payout, answer: Answer, *, doubtful: bool) -> Payout:
    now = deps.now()
    current = await tx.payouts.lock(payout.id)
    if current is None or current.version != payout.version:
        # The lease ran out and another worker has it: its attempt may have got through, whatever ours did not.
        return await lose_track(tx, payout_id=payout.id, policy=deps.policy, now=now)
    heard = {"status": "refused", "error_code": answer.code}
    failed = await fail_payout(tx, payout_id=payout.id, reason=reason_of(answer.code), now=now, heard=heard)
    if doubtful:
        # An earlier attempt was in doubt: should the bank speak of it after all, it must not pass unseen.
        await tx.payouts.postpone(payout.id, due_at=deps.policy.next_check(failed_at=now, now=now))
    return failed


async def _settle_found(deps: Deps, payout: Payout, report: SendReport) -> None:
    async with deps.transaction() as tx:
        settled = await settle_send(
            tx, payout_id=payout.id, report=report, policy=deps.policy, now=deps.now()
        )
    _count(payout, settled)


def _count(before: Payout, settled: Settled) -> None:
    if settled.contradictions:
        CONTRADICTIONS.inc(settled.contradictions)
        log.error("send_pix", payout_id=str(before.id), outcome="contradicted")
    count_move(before, settled.payout)


async def _keep_asking(deps: Deps, payout: Payout) -> None:
    now = deps.now()
    due_at = deps.policy.next_poll(since=payout.asked_at or now, now=now)
    async with deps.transaction() as tx:
        await tx.payouts.postpone(payout.id, due_at=due_at)
