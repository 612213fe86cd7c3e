"""How a received Pix is posted (ARCHITECTURE §3: payment.confirmed, unmatched or surplus Pix)."""

from decimal import Decimal
from functools import partial
from typing import Final

from contracts.payment import PaymentConfirmed, PaymentMismatchFound
from kernel.money import ZERO
from ledger.domain.chart import (
    BANK,
    COMMISSION,
    DRIVER_PAYABLE,
    PASSENGER_CREDIT,
    PIX_FEES,
    PIX_RECEIVABLE,
    RIDE_REVENUE,
    UNIDENTIFIED_PIX,
)
from ledger.domain.debt import NETTED, NETTING, repayment
from ledger.domain.instruction import Context, Contradiction, EntityType, Instruction, Outcome, Posting
from ledger.domain.journal import Draft, Line, credit, debit, without_zeros

CONFIRMED: Final = PaymentConfirmed.fact
MISMATCH: Final = PaymentMismatchFound.fact
PAYMENT_FEE: Final = "payment.fee"


def payment_transaction(part: str, payment_id: object) -> str:
    """The transaction id of one part of a payment: payment, fee or netting."""
    return f"{part}_{payment_id}"


def settlement(paid: PaymentConfirmed) -> Instruction:
    """The instruction to post a confirmed payment, once per e2eId."""
    return Instruction(
        external_id=paid.e2e_id,
        event_type=CONFIRMED,
        entity_type=EntityType.PAYMENT,
        entity_id=str(paid.payment_id),
        amount=paid.amount,
        occurred_at=paid.paid_at,
        rule=partial(settle_payment, paid),
        driver_id=paid.driver_id,
        ride_id=paid.ride_id,
        payment_id=paid.payment_id,
        metadata={"txid": paid.txid, "commission": str(paid.commission), "fee": str(paid.fee)},
        posting=Posting.RECORDING,
    )


def settle_payment(paid: PaymentConfirmed, context: Context) -> Outcome:
    """Revenue, its split, the money in the bank, the fee, and what the driver owes netted from it."""
    if context.history:
        raise Contradiction(f"payment {paid.payment_id} is already posted")
    if not ZERO <= paid.commission <= paid.amount:
        raise Contradiction(f"payment {paid.payment_id}: commission {paid.commission} of {paid.amount}")
    if paid.amount == ZERO:
        return Outcome()
    earned = paid.amount - paid.commission
    drafts = [_part(paid, "payment", "Corrida paga por Pix", *_ride_lines(paid, earned=earned))]
    if paid.fee != ZERO:
        fee = debit(PIX_FEES, paid.fee), credit(BANK, paid.fee)
        drafts.append(_part(paid, "fee", "Tarifa do Pix recebido", *fee, event_type=PAYMENT_FEE))
    if lines := repayment(context.driver(), gained=earned):
        drafts.append(_part(paid, "netting", NETTING, *lines, event_type=NETTED))
    return Outcome(tuple(drafts))


def _ride_lines(paid: PaymentConfirmed, *, earned: Decimal) -> tuple[Line, ...]:
    """The fare is owed to us and earned, it is divided, and the Pix is on the account at once."""
    return (
        debit(PIX_RECEIVABLE, paid.amount),
        credit(RIDE_REVENUE, paid.amount),
        debit(RIDE_REVENUE, paid.amount),
        *without_zeros(
            credit(COMMISSION, paid.commission),
            credit(DRIVER_PAYABLE, earned, driver_id=paid.driver_id),
        ),
        debit(BANK, paid.amount),
        credit(PIX_RECEIVABLE, paid.amount),
    )


def _part(
    paid: PaymentConfirmed, part: str, description: str, *lines: Line, event_type: str = CONFIRMED
) -> Draft:
    payment_id = str(paid.payment_id)
    return Draft(
        payment_transaction(part, payment_id),
        event_type,
        EntityType.PAYMENT,
        payment_id,
        description,
        lines,
        paid.e2e_id,
        paid.driver_id,
    )


def suspension(found: PaymentMismatchFound) -> Instruction:
    """The instruction to keep a Pix that fits no charge for its owner, once per external id."""
    return Instruction(
        external_id=found.external_id,
        event_type=MISMATCH,
        entity_type=EntityType.PIX,
        entity_id=found.external_id,
        amount=found.amount,
        occurred_at=found.paid_at,
        rule=partial(suspend_pix, found),
        ride_id=found.ride_id,
        payment_id=found.payment_id,
        metadata={"kind": found.kind.value} | ({"txid": found.txid} if found.txid else {}),
        posting=Posting.RECORDING,
    )


def suspend_pix(found: PaymentMismatchFound, _context: Context) -> Outcome:
    """The passenger's credit when we know whose it is, else suspense; in full, the fee is ours."""
    drafts = (
        _pix_part(
            found,
            "pix",
            f"Pix sem cobrança correspondente ({found.kind.value})",
            debit(BANK, found.amount),
            _kept_for_owner(found),
        ),
        _pix_part(
            found,
            "pix_fee",
            "Tarifa do Pix recebido",
            debit(PIX_FEES, found.fee),
            credit(BANK, found.fee),
            event_type=PAYMENT_FEE,
        ),
    )
    return Outcome(drafts=tuple(draft for draft in drafts if draft.lines))


def _pix_part(
    found: PaymentMismatchFound, part: str, description: str, *lines: Line, event_type: str = MISMATCH
) -> Draft:
    return Draft(
        transaction_id=f"{part}_{found.external_id}",
        event_type=event_type,
        entity_type=EntityType.PIX,
        entity_id=found.external_id,
        reference_number=found.e2e_id,
        description=description,
        lines=without_zeros(*lines),
    )


def _kept_for_owner(found: PaymentMismatchFound) -> Line:
    if found.passenger_id is None:
        return credit(UNIDENTIFIED_PIX, found.amount)
    return credit(PASSENGER_CREDIT, found.amount, passenger_id=found.passenger_id)
