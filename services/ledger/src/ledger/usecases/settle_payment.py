"""Post a confirmed payment."""

from datetime import datetime

from contracts.payment import PaymentConfirmed
from ledger.domain.settlement import settlement
from ledger.ports import Tx


async def settle_payment(tx: Tx, *, paid: PaymentConfirmed, now: datetime) -> None:
    """Revenue, its split, the money in the bank and the fee, once per e2eId."""
    tx.book.add(settlement(paid), now=now)
