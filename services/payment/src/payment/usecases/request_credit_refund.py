"""Ask for held money, a credit or money in suspense, to go back to its payer."""

from datetime import datetime
from decimal import Decimal

from contracts.audit import audited
from kernel.actor import Actor
from kernel.ids import new_id
from kernel.refusals import NotFound
from payment.domain.refund import Refund, RefundOrigin
from payment.ports import Tx


async def request_credit_refund(
    tx: Tx, *, e2e_id: str, amount: Decimal, reason: str, actor: Actor, now: datetime
) -> Refund:
    """A refund in REQUESTED; `submit_refunds` takes it to Efí after the commit.

    The Pix's row is locked, so that two requests are added up. Raises NotFound, RefundExceedsPayment.
    """
    booked = await tx.received.lock(e2e_id)
    if booked is None or actor.user_id is None:
        raise NotFound(f"Pix {e2e_id}")
    refund = Refund.of_credit(
        booked,
        refund_id=new_id(),
        amount=amount,
        given=await tx.refunds.credit_given(e2e_id),
        reason=reason,
        origin=RefundOrigin.ADMIN,
        requested_by=actor.user_id,
        now=now,
    )
    await tx.refunds.add(refund)
    await tx.publish(
        audited(
            "request_credit_refund",
            entity_type="received_pix",
            entity_id=e2e_id,
            actor=actor,
            now=now,
            after={"refund_id": str(refund.id), "amount": f"{amount:.2f}"},
            reason=reason,
        )
    )
    return refund
