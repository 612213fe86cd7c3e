"""Apply a Pix that Efí says it received: the one way in, for webhooks and the janitor alike."""

from datetime import datetime

from payment.domain.booked import BookedPix
from payment.domain.charge import Charge
from payment.domain.intent import Intent
from payment.domain.received import Received, Source, judge, mismatch_fact
from payment.domain.webhook import Outcome
from payment.ports import Tx
from payment.usecases.return_second_payments import return_second_payments


async def confirm_pix(
    tx: Tx, *, received: Received, source: Source, now: datetime, refund_second: bool = True
) -> Outcome:
    """Confirm the charge that the Pix pays, or hold the money for its owner; each e2eId once.

    The intent's row is locked before anything is decided, so a repeated, second or late Pix finds the truth.
    `refund_second`: what was paid twice for one ride goes back at once.
    """
    found = await tx.intents.lock_by_txid(received.txid) if received.txid else None
    intent, charge = found or (None, None)
    verdict = judge(received, charge=charge)
    booked = BookedPix.of(received, verdict=verdict, intent=intent)
    if not await tx.received.claim(booked, source=source, now=now):
        return Outcome.DUPLICATE
    if verdict.confirms:
        assert intent is not None, "a verdict confirms a charge, and a charge has its intent"
        assert charge is not None, "a verdict confirms a charge"
        intent = await _confirm(tx, intent=intent, charge=charge, received=received, now=now)
    if verdict.mismatch is not None:
        fact = mismatch_fact(received, verdict, intent=intent, now=now)
        await tx.publish(fact, version=intent.version if intent else 0)
    if intent is not None and refund_second:
        await return_second_payments(tx, ride_id=intent.ride_id, now=now)
    return Outcome.CONFIRMED if verdict.confirms else Outcome.HELD


async def _confirm(tx: Tx, *, intent: Intent, charge: Charge, received: Received, now: datetime) -> Intent:
    confirmed, fact = intent.confirm(
        txid=charge.txid, e2e_id=received.e2e_id, fee=received.fee, paid_at=received.paid_at, now=now
    )
    await tx.intents.save(confirmed)
    await tx.intents.save_charge(charge.complete(e2e_id=received.e2e_id, paid_at=received.paid_at))
    await tx.publish(fact, version=confirmed.version)
    return confirmed
