"""Ask for money to go back to the passenger."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.audit import audited
from kernel.actor import Actor
from kernel.ids import new_id
from kernel.refusals import NotFound
from payment.domain.refund import PaymentNotRefundable, Refund
from payment.ports import Tx


async def request_refund(
    tx: Tx, *, payment_id: UUID, amount: Decimal, reason: str, actor: Actor, now: datetime
) -> Refund:
    """A refund in REQUESTED; `submit_refunds` takes it to Efí after the commit.

    Raises NotFound, PaymentNotRefundable, RefundExceedsPayment.
    """
    found = await tx.intents.lock(payment_id)
    if found is None or actor.user_id is None:
        raise NotFound(f"payment {payment_id}")
    intent, charge = found
    if charge.e2e_id is None:
        raise PaymentNotRefundable(f"payment {payment_id} was not paid")
    refund, fact = Refund.request(
        intent,
        refund_id=new_id(),
        e2e_id=charge.e2e_id,
        amount=amount,
        open_amount=await tx.refunds.open_amount(payment_id),
        reason=reason,
        requested_by=actor.user_id,
        now=now,
    )
    await tx.refunds.add(refund)
    await tx.publish(fact, version=intent.version)
    after = {"refund_id": str(refund.id), "amount": f"{amount:.2f}"}
    await tx.publish(
        audited(
            "request_refund",
            entity_type="payment",
            entity_id=payment_id,
            actor=actor,
            now=now,
            after=after,
            reason=reason,
        )
    )
    return refund
