"""A payment and a refund as they were posted before a payment was one compound journal (ADR 0023)."""

from functools import partial

from contracts.payment import PaymentConfirmed, PaymentRefunded
from kernel.money import money
from ledger.domain.instruction import Context, EntityType, Instruction, Outcome
from ledger.domain.journal import CREDIT, DEBIT, Draft, Journal, Line, credit, debit, without_zeros
from ledger.domain.refund import REFUNDED, refund
from ledger.domain.settlement import CONFIRMED, settle_payment, settlement

PARTS = ("payment", "commission", "settlement")


def settlement_in_three(paid: PaymentConfirmed) -> Instruction:
    """The instruction to post a confirmed payment in three journals; its fee and netting are as they are now."""
    return settlement(paid)._replace(rule=partial(_settle_in_three, paid))


def _settle_in_three(paid: PaymentConfirmed, context: Context) -> Outcome:
    earned = paid.amount - paid.commission
    divided = without_zeros(credit("4200", paid.commission), credit("2100", earned, driver_id=paid.driver_id))
    lines = (
        (debit("1300", paid.amount), credit("4100", paid.amount)),
        (debit("4100", paid.amount), *divided),
        (debit("1100", paid.amount), credit("1300", paid.amount)),
    )
    drafts = [
        _draft(paid, f"{part}_{paid.payment_id}", CONFIRMED, those)
        for part, those in zip(PARTS, lines, strict=True)
    ]
    now = settle_payment(paid, context).drafts
    return Outcome(drafts=(*drafts, *(draft for draft in now if draft.event_type != CONFIRMED)))


def refund_in_three(refunded: PaymentRefunded, *, commission: str, earned: str) -> Instruction:
    """The instruction to post a refund of a payment of three journals, also in three; the driver has `earned`."""
    rule = partial(_refund_in_three, refunded, commission, earned)
    return refund(refunded)._replace(rule=rule)


def _refund_in_three(refunded: PaymentRefunded, commission: str, earned: str, context: Context) -> Outcome:
    paid, divided, settled = (context.get(f"{part}_{refunded.payment_id}") for part in PARTS)
    amount = refunded.amount
    lines = {
        "split": (
            debit("4200", money(commission), reverses=divided.entry("4200", CREDIT).id),
            _from_driver(divided, earned),
            credit("4100", amount, reverses=divided.entry("4100", DEBIT).id),
        ),
        "revenue": (
            debit("4100", amount, reverses=paid.entry("4100", CREDIT).id),
            credit("1300", amount, reverses=paid.entry("1300", DEBIT).id),
        ),
        "bank": (
            debit("1300", amount, reverses=settled.entry("1300", CREDIT).id),
            credit("1100", amount, reverses=settled.entry("1100", DEBIT).id),
        ),
    }
    return Outcome(
        drafts=tuple(
            _draft(refunded, f"refund_{part}_{refunded.refund_id}", REFUNDED, those)
            for part, those in lines.items()
        )
    )


def _from_driver(divided: Journal, earned: str) -> Line:
    theirs = divided.entry("2100", CREDIT)
    return debit("2100", money(earned), driver_id=theirs.line.driver_id, reverses=theirs.id)


def _draft(
    fact: PaymentConfirmed | PaymentRefunded, name: str, event_type: str, lines: tuple[Line, ...]
) -> Draft:
    return Draft(
        transaction_id=name,
        event_type=event_type,
        entity_type=EntityType.PAYMENT,
        entity_id=str(fact.payment_id),
        reference_number=fact.e2e_id,
        description="Lançado em três partes",
        driver_id=fact.driver_id,
        lines=lines,
    )
