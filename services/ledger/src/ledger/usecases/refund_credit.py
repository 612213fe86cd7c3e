"""Post that held money went back to its payer."""

from datetime import datetime

from contracts.payment import PaymentCreditRefunded
from ledger.domain.credit_refund import credit_refund
from ledger.domain.instruction import EntityType
from ledger.ports import Tx


async def refund_credit(tx: Tx, *, refunded: PaymentCreditRefunded, now: datetime) -> None:
    """Out of the passenger's credit or of suspense, once per refund; Contradiction for more than was credited."""
    await tx.journals.lock_entity(EntityType.PIX, refunded.external_id)
    tx.book.add(credit_refund(refunded), now=now)
