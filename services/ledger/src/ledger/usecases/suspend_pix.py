"""Post a Pix that fits no charge."""

from datetime import datetime

from contracts.payment import PaymentMismatchFound
from ledger.domain.settlement import suspension
from ledger.ports import Tx


async def suspend_pix(tx: Tx, *, found: PaymentMismatchFound, now: datetime) -> None:
    """Keep the amount for the passenger, or in suspense when nobody is known, once per external id."""
    tx.book.add(suspension(found), now=now)
