"""Ask for a payout."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.audit import audited
from kernel.actor import Actor
from payout.domain.payout import InsufficientBalance, Payout
from payout.ports import Tx


async def request_payout(
    tx: Tx,
    *,
    payout_id: UUID,
    driver_id: UUID,
    amount: Decimal,
    minimum: Decimal,
    actor: Actor,
    now: datetime,
) -> Payout:
    """A PENDING payout. BelowMinimum; InsufficientBalance beyond what we know of, less what is asked for.

    The ledger decides later, under its own lock; this refusal only spares the driver a doomed payout.
    """
    payout, requested = Payout.request(
        payout_id=payout_id, driver_id=driver_id, amount=amount, minimum=minimum, now=now
    )
    balance = await tx.balances.lock(driver_id)
    asked_for = await tx.payouts.asked_for(driver_id, beyond_version=balance.version)
    if not balance.covers(amount, asked_for=asked_for):
        raise InsufficientBalance
    await tx.payouts.add(payout, due_at=now)
    await tx.publish(requested)
    await tx.publish(
        audited(
            "request_payout",
            entity_type="payout",
            entity_id=payout.id,
            actor=actor,
            now=now,
            after={"status": payout.status.value, "amount": str(amount)},
        )
    )
    return payout
