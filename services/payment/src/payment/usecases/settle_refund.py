"""Apply what Efí says of a refund."""

from datetime import datetime
from uuid import UUID

from contracts.payment import ClaimKind
from payment.domain.booked import BookedPix
from payment.domain.claim import Rejection
from payment.domain.intent import Intent
from payment.domain.provider import ProviderRefund, RefundState
from payment.domain.refund import OPEN, Refund, RefundStatus, RefundTarget
from payment.ports import Tx
from payment.usecases.reject_claim import reject_claim


async def settle_refund(
    tx: Tx, *, refund_id: UUID, payment_id: UUID | None, answer: ProviderRefund, now: datetime
) -> RefundStatus:
    """Finish, fail or keep the refund waiting; the payment's row is locked first, then the Pix's.

    A refund that has ended moves no more: an answer that contradicts its end is told, for a person to look. So is
    a refusal, except of money in suspense: no payment is known for it that the fact could name.
    """
    found = None if payment_id is None else await tx.intents.lock(payment_id)
    intent = None if found is None else found[0]
    seen = await tx.refunds.get(refund_id)
    assert seen is not None, f"refund {refund_id} vanished"
    booked = await tx.received.lock(seen.e2e_id)
    assert booked is not None, f"the Pix of refund {refund_id} vanished"
    refund = await tx.refunds.lock(refund_id)
    assert refund is not None, f"refund {refund_id} vanished"
    if refund.status not in OPEN:
        await _contradict(tx, refund, booked=booked, answer=answer, now=now)
        return refund.status
    if answer.state is RefundState.DONE:
        refund = await _finish(tx, refund, intent=intent, booked=booked, return_id=answer.return_id, now=now)
    elif answer.state is RefundState.REFUSED:
        refund = refund.fail(reason=answer.reason or "refused_by_bank", now=now)
        if intent is not None:
            await tx.publish(refund.failed(intent, now=now), version=intent.version)
    elif refund.status is RefundStatus.REQUESTED:
        refund = refund.process()
    await tx.refunds.save(refund)
    return refund.status


async def _finish(
    tx: Tx, refund: Refund, *, intent: Intent | None, booked: BookedPix, return_id: str, now: datetime
) -> Refund:
    if refund.target is RefundTarget.CREDIT:
        refunded = await tx.refunds.credit_refunded(refund.e2e_id)
        done, credited = refund.finish_credit(booked, refunded=refunded, return_id=return_id, now=now)
        await tx.publish(credited)
        return done
    assert intent is not None, "a fare has its payment"
    done, after, fact = refund.finish(intent, return_id=return_id, now=now)
    await tx.intents.save(after)
    await tx.publish(fact, version=after.version)
    return done


async def _contradict(
    tx: Tx, refund: Refund, *, booked: BookedPix, answer: ProviderRefund, now: datetime
) -> None:
    contrary = RefundState.REFUSED if refund.status is RefundStatus.REFUNDED else RefundState.DONE
    if answer.state is not contrary:
        return
    rejection = Rejection(
        kind=ClaimKind.REFUND_CONTRADICTED,
        e2e_id=refund.e2e_id,
        reference=refund.efi_id,
        txid=booked.txid,
        ride_id=booked.ride_id,
        claimed=refund.amount,
    )
    await reject_claim(tx, rejection=rejection, now=now)
