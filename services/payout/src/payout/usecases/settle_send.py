"""Do what the bank says of a send."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from kernel.actor import SYSTEM
from kernel.refusals import NotFound
from payout.domain.payout import IN_FLIGHT, SENT_ONCE, FailureReason, Payout, Step
from payout.domain.policy import Policy
from payout.domain.send import SendReport, SendReturn, SendState
from payout.ports import Tx
from payout.usecases.fail_payout import fail_payout


async def settle_send(
    tx: Tx, *, payout_id: UUID, report: SendReport, policy: Policy, now: datetime
) -> Payout:
    """Processing, done, rejected, returned: each counts once, whoever reports it and however often.

    IllegalTransition when the bank contradicts its own earlier verdict, AnotherSend when it means another
    amount: someone must look.
    """
    payout = await tx.payouts.lock(payout_id)
    if payout is None:
        raise NotFound(str(payout_id))
    payout.recognize(report)
    if report.state is SendState.REJECTED:
        failed = await fail_payout(
            tx,
            payout_id=payout_id,
            reason=FailureReason.REJECTED_BY_BANK,
            now=now,
            heard=report.shown(),
        )
        await tx.payouts.postpone(payout_id, due_at=None)
        return failed
    settled = await _move_on(tx, payout, report=report, now=now)
    if settled.step in SENT_ONCE:
        settled = await _take_back(tx, settled, returns=report.returns, now=now)
    await _save(tx, payout, settled, due_at=_due_at(settled, policy=policy, now=now))
    return settled


async def _move_on(tx: Tx, payout: Payout, *, report: SendReport, now: datetime) -> Payout:
    if payout.step in SENT_ONCE:
        return payout
    if report.state is SendState.DONE:
        return await _complete(tx, payout, report=report, now=now)
    if payout.step is Step.SENT:
        return payout
    sent, fact = payout.accept(report, now=now)
    await tx.publish(fact)
    return sent


async def _complete(tx: Tx, payout: Payout, *, report: SendReport, now: datetime) -> Payout:
    done, fact = payout.complete(report, now=now)
    await tx.publish(fact)
    await tx.publish(
        audited(
            "complete_payout",
            entity_type="payout",
            entity_id=payout.id,
            actor=SYSTEM,
            now=now,
            before={"status": payout.status.value},
            after={"status": done.status.value},
        )
    )
    return done


async def _take_back(tx: Tx, payout: Payout, *, returns: Sequence[SendReturn], now: datetime) -> Payout:
    for one in returns:
        new = await tx.payouts.add_return(payout.id, return_id=one.return_id, amount=one.amount, now=now)
        if new:
            payout, fact = payout.give_back(one, now=now)
            await tx.publish(fact)
    return payout


def _due_at(payout: Payout, *, policy: Policy, now: datetime) -> datetime | None:
    if payout.step in IN_FLIGHT:
        assert payout.asked_at is not None, "a send in flight was started"
        return policy.next_poll(since=payout.asked_at, now=now)
    assert payout.completed_at is not None, "what is not in flight was sent"
    if payout.returned == payout.amount:
        return None
    return policy.next_look(completed_at=payout.completed_at, now=now)


async def _save(tx: Tx, before: Payout, after: Payout, *, due_at: datetime | None) -> None:
    if after is before:
        await tx.payouts.postpone(after.id, due_at=due_at)
    else:
        await tx.payouts.save(after, due_at=due_at)
