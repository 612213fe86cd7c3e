"""Give back, by rule, what was paid for a ride that another Pix has paid."""

from datetime import datetime
from uuid import UUID

from kernel.ids import new_id
from kernel.money import ZERO
from payment.domain.booked import FOR_THE_FARE, BookedPix
from payment.domain.intent import IntentStatus
from payment.domain.refund import Refund, RefundOrigin
from payment.ports import Tx

REASON = "second_payment"


async def return_second_payments(tx: Tx, *, ride_id: UUID, now: datetime) -> int:
    """Ask for a refund of each Pix that is still held for the fare of a paid ride; answers how many.

    Nothing while the ride is unpaid: the late or short money is the passenger's credit until then. The ride's
    row is locked, so that of two of its payments that come in at once the later one sees the earlier.
    """
    await tx.rides.lock(ride_id)
    held = [booked for booked in await tx.received.of_ride(ride_id) if booked.mismatch in FOR_THE_FARE]
    if not held:
        return 0  # nearly every ride is paid once
    latest = await tx.intents.latest_of(ride_id)
    if latest is None or latest[0].status not in (IntentStatus.CONFIRMED, IntentStatus.REFUNDED):
        return 0
    # Under way, done, or refused by Efí: then a person decides, not the rule again.
    asked_for = await tx.refunds.asked_for([booked.e2e_id for booked in held])
    due = [booked for booked in held if booked.e2e_id not in asked_for]
    for booked in due:
        await tx.refunds.add(_refund(booked, now=now))
    return len(due)


def _refund(booked: BookedPix, *, now: datetime) -> Refund:
    return Refund.of_credit(
        booked,
        refund_id=new_id(),
        amount=booked.held,
        given=ZERO,
        reason=REASON,
        origin=RefundOrigin.RULE,
        requested_by=None,
        now=now,
    )
