"""Take in a devolution that Efí lists: one of ours that moved on, or one that was made outside of Ibora."""

from datetime import datetime
from decimal import Decimal

from kernel.ids import new_id
from kernel.money import ZERO
from payment.domain.adoption import adopt
from payment.domain.booked import BookedPix
from payment.domain.charge import Charge
from payment.domain.devolution import Devolution, RefundState
from payment.domain.intent import Intent
from payment.domain.refund import Refund
from payment.ports import Tx
from payment.usecases.settle_refund import settle_refund


async def adopt_devolution(tx: Tx, *, e2e_id: str, devolution: Devolution, now: datetime) -> bool:
    """Settle the refunds that it is, or make them. False while it does not fit: ask again later.

    Of a Pix that is not booked yet nothing can go back here either. Each devolution counts once: the database
    keeps one refund of each id and target.
    """
    seen = await tx.received.get(e2e_id)
    if seen is None:
        return False
    found = None if seen.intent_id is None else await tx.intents.lock(seen.intent_id)
    booked = await tx.received.lock(e2e_id)
    assert booked is not None, "a booked Pix is never forgotten"
    refunds = await tx.refunds.by_efi_id(e2e_id, devolution.efi_id)
    if not refunds:
        if devolution.answer.state is RefundState.REFUSED:
            return True
        refunds = await _adopt(tx, booked, devolution=devolution, found=found, now=now)
    for refund in refunds:
        await settle_refund(
            tx, refund_id=refund.id, payment_id=refund.payment_intent_id, answer=devolution.answer, now=now
        )
    return bool(refunds)


async def _adopt(
    tx: Tx,
    booked: BookedPix,
    *,
    devolution: Devolution,
    found: tuple[Intent, Charge] | None,
    now: datetime,
) -> list[Refund]:
    refunds = adopt(
        devolution,
        booked=booked,
        credit_left=booked.held - await tx.refunds.credit_given(booked.e2e_id),
        fare_left=await _fare_left(tx, booked, found=found),
        refund_ids=(new_id(), new_id()),
        now=now,
    )
    for refund in refunds:
        await tx.refunds.add(refund)
    return list(refunds)


async def _fare_left(tx: Tx, booked: BookedPix, *, found: tuple[Intent, Charge] | None) -> Decimal:
    if found is None or found[1].e2e_id != booked.e2e_id:
        return ZERO
    intent = found[0]
    return intent.amount - intent.refunded - await tx.refunds.open_amount(intent.id)
