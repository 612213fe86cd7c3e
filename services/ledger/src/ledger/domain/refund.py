"""How a refund is posted: the payment's entries reversed pro rata (ARCHITECTURE §3)."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Final

from contracts.ledger import EntryType
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
from ledger.domain.journal import CREDIT, DEBIT, Draft, Entry, Line, credit, debit, without_zeros
from ledger.domain.settlement import CONFIRMED

REFUNDED: Final = PaymentRefunded.fact

# The entries of a payment by their account and side: no two of them share both.
Paid = Mapping[tuple[str, EntryType], Entry]


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
    paid = _paid(refunded, context)
    amount = refunded.amount
    commission, earned = _shares(refunded, paid, before=context.bank_total(REFUNDED))
    taken = min(context.driver().available, earned)
    lines = without_zeros(
        debit(COMMISSION, commission, reverses=_id(paid, COMMISSION, CREDIT)),
        *_driver_lines(paid, taken=taken, owed=earned - taken),
        credit(RIDE_REVENUE, amount, reverses=_id(paid, RIDE_REVENUE, DEBIT)),
        debit(RIDE_REVENUE, amount, reverses=_id(paid, RIDE_REVENUE, CREDIT)),
        credit(PIX_RECEIVABLE, amount, reverses=_id(paid, PIX_RECEIVABLE, DEBIT)),
        debit(PIX_RECEIVABLE, amount, reverses=_id(paid, PIX_RECEIVABLE, CREDIT)),
        credit(BANK, amount, reverses=_id(paid, BANK, DEBIT)),
    )
    draft = Draft(
        transaction_id=f"refund_{refunded.refund_id}",
        event_type=REFUNDED,
        entity_type=EntityType.PAYMENT,
        entity_id=str(refunded.payment_id),
        reference_number=refunded.e2e_id,
        description="Pix devolvido ao passageiro",
        driver_id=refunded.driver_id,
        lines=lines,
    )
    return Outcome(drafts=(draft,))


def _paid(refunded: PaymentRefunded, context: Context) -> Paid:
    """The payment as it is posted, in one journal or, as it was once, in three."""
    journals = [journal for journal in context.history if journal.draft.event_type == CONFIRMED]
    if not journals:
        raise Contradiction(f"payment {refunded.payment_id} is not posted")
    if any(context.reversed(journal) for journal in journals):
        raise Contradiction(f"payment {refunded.payment_id} was reversed by hand before this refund")
    return {
        (entry.line.account_code, entry.line.entry_type): entry
        for journal in journals
        for entry in journal.entries
    }


def _id(paid: Paid, account_code: str, side: EntryType) -> int | None:
    entry = paid.get((account_code, side))
    return entry.id if entry else None


def _amount(paid: Paid, account_code: str) -> Decimal:
    entry = paid.get((account_code, CREDIT))
    return entry.line.amount if entry else ZERO


def _shares(refunded: PaymentRefunded, paid: Paid, *, before: Decimal) -> tuple[Decimal, Decimal]:
    """(commission, earnings) that this refund gives back."""
    amount, whole = refunded.amount, _amount(paid, RIDE_REVENUE)
    if before + amount > whole:
        raise Contradiction(f"payment {refunded.payment_id}: refunds of {before + amount} of {whole}")
    weights = (_amount(paid, COMMISSION), _amount(paid, DRIVER_PAYABLE))
    commission_after, earned_after = split(before + amount, weights=weights)
    commission_before, earned_before = split(before, weights=weights)
    return commission_after - commission_before, earned_after - earned_before


def _driver_lines(paid: Paid, *, taken: Decimal, owed: Decimal) -> tuple[Line, ...]:
    original = paid.get((DRIVER_PAYABLE, CREDIT))
    if original is None:
        return ()
    driver_id = original.line.driver_id
    return (
        debit(DRIVER_PAYABLE, taken, driver_id=driver_id, reverses=original.id),
        debit(DRIVER_RECEIVABLE, owed, driver_id=driver_id, reverses=original.id),
    )
