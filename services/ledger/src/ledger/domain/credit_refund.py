"""How money that was held for its payer (credit or suspense) is posted when it goes back to them."""

from functools import partial
from typing import Final

from contracts.payment import PaymentCreditRefunded
from ledger.domain.chart import BANK, PASSENGER_CREDIT, UNIDENTIFIED_PIX
from ledger.domain.instruction import Context, Contradiction, EntityType, Instruction, Outcome, Posting
from ledger.domain.journal import CREDIT, DEBIT, Draft, Entry, Journal, credit, debit
from ledger.domain.reversal import undone
from ledger.domain.settlement import payment_transaction

CREDIT_REFUNDED: Final = PaymentCreditRefunded.fact


def credit_refund(refunded: PaymentCreditRefunded) -> Instruction:
    """The instruction to post such a refund, once per refund id."""
    return Instruction(
        external_id=f"credit_refund:{refunded.refund_id}",
        event_type=CREDIT_REFUNDED,
        entity_type=EntityType.PIX,
        entity_id=refunded.external_id,
        amount=refunded.amount,
        occurred_at=refunded.refunded_at,
        rule=partial(refund_credit, refunded),
        ride_id=refunded.ride_id,
        payment_id=refunded.payment_id,
        metadata={"return_id": refunded.return_id, "e2e_id": refunded.e2e_id},
        posting=Posting.RECORDING,
    )


def refund_credit(refunded: PaymentCreditRefunded, context: Context) -> Outcome:
    """D 2200[p] or D 2900 / C 1100; Contradiction for more than the Pix credited and still has."""
    credited = context.get(payment_transaction("pix", refunded.external_id))
    bank, held = credited.entry(BANK, DEBIT), _held(credited)
    before = undone(bank, context=context)
    if before + refunded.amount > credited.total:
        raise Contradiction(f"{refunded.external_id}: {before + refunded.amount} back of {credited.total}")
    draft = Draft(
        transaction_id=f"credit_refund_{refunded.refund_id}",
        event_type=CREDIT_REFUNDED,
        entity_type=EntityType.PIX,
        entity_id=refunded.external_id,
        reference_number=refunded.e2e_id,
        description="Pix sem cobrança devolvido ao pagador",
        lines=(
            debit(
                held.line.account_code,
                refunded.amount,
                passenger_id=held.line.passenger_id,
                reverses=held.id,
            ),
            credit(BANK, refunded.amount, reverses=bank.id),
        ),
    )
    return Outcome(drafts=(draft,))


def _held(credited: Journal) -> Entry:
    """Where the Pix was put: one of the two accounts."""
    code = PASSENGER_CREDIT if credited.amount_on(PASSENGER_CREDIT) else UNIDENTIFIED_PIX
    return credited.entry(code, CREDIT)
