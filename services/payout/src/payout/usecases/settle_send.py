"""Do what the bank says of a send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from kernel.actor import SYSTEM
from kernel.refusals import NotFound
from payout.domain.contradiction import contradiction_in, too_much_returned
from payout.domain.payout import Payout
from payout.domain.policy import Policy
from payout.domain.returns import new_returns
from payout.domain.send import SendReport, SendReturn, SendState
from payout.domain.step import IN_FLIGHT, SENT_ONCE, Step, reason_of
from payout.ports import Tx
from payout.usecases.fail_payout import fail_payout
from payout.usecases.note_contradiction import note_contradiction


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The payout as it is now, and how many contradictions were told of for the first time."""

    payout: Payout
    contradictions: int = 0


async def settle_send(
    tx: Tx, *, payout_id: UUID, report: SendReport, policy: Policy, now: datetime
) -> Settled:
    """Processing, done, rejected, returned: each counts once, whoever reports it and however often.

    What contradicts the payout moves nothing and is told of once.
    """
    payout = await tx.payouts.lock(payout_id)
    if payout is None:
        raise NotFound(str(payout_id))
    found = contradiction_in(payout, report)
    if found is not None:
        new = await note_contradiction(tx, payout=payout, found=found, now=now)
        await tx.payouts.postpone(payout_id, due_at=_due_at(payout, policy=policy, now=now))
        return Settled(payout=payout, contradictions=int(new))
    if report.state is SendState.REJECTED:
        return Settled(payout=await _reject(tx, payout, report=report, now=now))
    moved = await _move_on(tx, payout, report=report, now=now)
    settled = Settled(payout=moved)
    if moved.step in SENT_ONCE:
        settled = await _take_back(tx, moved, returns=report.returns, now=now)
    await _save(tx, payout, settled.payout, due_at=_due_at(settled.payout, policy=policy, now=now))
    return settled


async def _reject(tx: Tx, payout: Payout, *, report: SendReport, now: datetime) -> Payout:
    failed = await fail_payout(
        tx, payout_id=payout.id, reason=reason_of(report.error_code), now=now, heard=report.shown()
    )
    await tx.payouts.postpone(payout.id, due_at=None)
    return failed


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


async def _take_back(tx: Tx, payout: Payout, *, returns: Sequence[SendReturn], now: datetime) -> Settled:
    known = await tx.payouts.returns_of(payout.id)
    contradictions = 0
    for one in new_returns(known, returns, id_envio=payout.sent_as):
        if not payout.may_give_back(one.amount):
            found = too_much_returned(payout, return_id=one.return_id, amount=one.amount)
            contradictions += await note_contradiction(tx, payout=payout, found=found, now=now)
            continue
        if await tx.payouts.add_return(payout.id, one=one, now=now):
            payout, fact = payout.give_back(return_id=one.return_id, amount=one.amount, now=now)
            await tx.publish(fact)
    return Settled(payout=payout, contradictions=contradictions)


def _due_at(payout: Payout, *, policy: Policy, now: datetime) -> datetime | None:
    if payout.step in IN_FLIGHT:
        assert payout.asked_at is not None, "a send in flight was started"
        return policy.next_poll(since=payout.asked_at, now=now)
    if payout.completed_at is None or payout.returned == payout.amount:
        return None
    return policy.next_look(completed_at=payout.completed_at, now=now)


async def _save(tx: Tx, before: Payout, after: Payout, *, due_at: datetime | None) -> None:
    if after is before:
        await tx.payouts.postpone(after.id, due_at=due_at)
    else:
        await tx.payouts.save(after, due_at=due_at)
