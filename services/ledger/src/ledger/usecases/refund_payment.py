"""Post a refund."""

from datetime import datetime

from contracts.payment import PaymentRefunded
from ledger.domain.refund import refund
from ledger.ports import Tx


async def refund_payment(tx: Tx, *, refunded: PaymentRefunded, now: datetime) -> None:
    """Reverse the payment's journals pro rata, once per refund; Contradiction if it was never posted."""
    tx.book.add(refund(refunded), now=now)
