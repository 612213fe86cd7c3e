"""Apply what Efí says of a refund."""

from datetime import datetime
from uuid import UUID

from payment.domain.provider import ProviderRefund, RefundState
from payment.domain.refund import OPEN, RefundStatus
from payment.ports import Tx


async def settle_refund(
    tx: Tx, *, refund_id: UUID, payment_id: UUID, answer: ProviderRefund, now: datetime
) -> RefundStatus:
    """Finish, fail or keep the refund waiting; the payment's row is locked first."""
    found = await tx.intents.lock(payment_id)
    refund = await tx.refunds.lock(refund_id)
    assert found is not None, f"payment {payment_id} vanished"
    assert refund is not None, f"refund {refund_id} vanished"
    if refund.status not in OPEN:
        return refund.status
    if answer.state is RefundState.DONE:
        refund, intent, fact = refund.finish(found[0], return_id=answer.return_id, now=now)
        await tx.intents.save(intent)
        await tx.publish(fact, version=intent.version)
    elif answer.state is RefundState.REFUSED:
        refund = refund.fail(reason=answer.reason or "refused_by_bank", now=now)
    elif refund.status is RefundStatus.REQUESTED:
        refund = refund.process()
    await tx.refunds.save(refund)
    return refund.status
