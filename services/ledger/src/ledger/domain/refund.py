"""How a refund is posted: the payment's journals reversed pro rata (ARCHITECTURE §3)."""

from decimal import Decimal
from functools import partial
from typing import Final

from contracts.payment import PaymentRefunded
from kernel.money import ZERO, split
from ledger.domain.chart import (
    BANK,
    COMMISSION,
    DRIVER_PAYABLE,
    DRIVER_RECEIVABLE,
    PIX_RECEIVABLE,
    RIDE_REVENUE,
)
from ledger.domain.instruction import Context, Contradiction, EntityType, Instruction, Outcome
from ledger.domain.journal import Draft, Journal, Line, credit, debit, without_zeros
from ledger.domain.settlement import payment_transaction

REFUNDED: Final = PaymentRefunded.fact


def refund(refunded: PaymentRefunded) -> Instruction:
    """The instruction to post a refund, once per refund id."""
    return Instruction(
        external_id=f"refund:{refunded.refund_id}",
        event_type=REFUNDED,
        entity_type=EntityType.PAYMENT,
        entity_id=str(refunded.payment_id),
        amount=refunded.amount,
        occurred_at=refunded.refunded_at,
        rule=partial(refund_payment, refunded),
        driver_id=refunded.driver_id,
        ride_id=refunded.ride_id,
        payment_id=refunded.payment_id,
        metadata={"return_id": refunded.return_id, "e2e_id": refunded.e2e_id},
    )


def refund_payment(refunded: PaymentRefunded, context: Context) -> Outcome:
    """Commission and earnings given back in proportion; what the driver no longer has, they owe.

    The shares of all refunds so far are split at once and the earlier ones taken off, so that refunds
    that add up to the payment give back exactly its commission and exactly the driver's part.
    """
    payment = context.get(payment_transaction("payment", refunded.payment_id))
    divided = context.get(payment_transaction("commission", refunded.payment_id))
    settled = context.get(payment_transaction("settlement", refunded.payment_id))
    if any(context.reversed(journal) for journal in (payment, divided, settled)):
        raise Contradiction(f"payment {refunded.payment_id} was reversed by hand before this refund")
    commission, earned = _shares(divided, refunded.amount, before=context.bank_total(REFUNDED))
    taken = min(context.driver().available, earned)
    drafts = (
        _part(
            refunded,
            "split",
            "Estorno proporcional da divisão da corrida",
            *_platform_lines(divided, commission),
            *_driver_lines(divided, taken=taken, owed=earned - taken),
            credit(RIDE_REVENUE, refunded.amount, reverses=divided.entry(RIDE_REVENUE).id),
        ),
        _part(
            refunded,
            "revenue",
            "Estorno proporcional da corrida",
            debit(RIDE_REVENUE, refunded.amount, reverses=payment.entry(RIDE_REVENUE).id),
            credit(PIX_RECEIVABLE, refunded.amount, reverses=payment.entry(PIX_RECEIVABLE).id),
        ),
        _part(
            refunded,
            "bank",
            "Pix devolvido ao passageiro",
            debit(PIX_RECEIVABLE, refunded.amount, reverses=settled.entry(PIX_RECEIVABLE).id),
            credit(BANK, refunded.amount, reverses=settled.entry(BANK).id),
        ),
    )
    return Outcome(drafts=drafts)


def _shares(divided: Journal, amount: Decimal, *, before: Decimal) -> tuple[Decimal, Decimal]:
    """(commission, earnings) that this refund gives back."""
    whole = divided.amount_on(RIDE_REVENUE)
    if before + amount > whole:
        raise Contradiction(f"{divided.draft.transaction_id}: refunds of {before + amount} of {whole}")
    weights = (divided.amount_on(COMMISSION), divided.amount_on(DRIVER_PAYABLE))
    commission_after, earned_after = split(before + amount, weights=weights)
    commission_before, earned_before = split(before, weights=weights)
    return commission_after - commission_before, earned_after - earned_before


def _platform_lines(divided: Journal, commission: Decimal) -> tuple[Line, ...]:
    if commission == ZERO:
        return ()
    return (debit(COMMISSION, commission, reverses=divided.entry(COMMISSION).id),)


def _driver_lines(divided: Journal, *, taken: Decimal, owed: Decimal) -> tuple[Line, ...]:
    if taken + owed == ZERO:
        return ()
    original = divided.entry(DRIVER_PAYABLE)
    driver_id = original.line.driver_id
    return without_zeros(
        debit(DRIVER_PAYABLE, taken, driver_id=driver_id, reverses=original.id),
        debit(DRIVER_RECEIVABLE, owed, driver_id=driver_id, reverses=original.id),
    )


def _part(refunded: PaymentRefunded, part: str, description: str, *lines: Line) -> Draft:
    return Draft(
        transaction_id=f"refund_{part}_{refunded.refund_id}",
        event_type=REFUNDED,
        entity_type=EntityType.PAYMENT,
        entity_id=str(refunded.payment_id),
        reference_number=refunded.e2e_id,
        description=description,
        driver_id=refunded.driver_id,
        lines=lines,
    )
