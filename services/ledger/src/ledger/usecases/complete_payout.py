"""Post a payout that reached the driver."""

from datetime import datetime

from contracts.payout import PayoutCompleted
from ledger.domain.payout import completion
from ledger.ports import Tx


async def complete_payout(tx: Tx, *, done: PayoutCompleted, now: datetime) -> None:
    """The held money left the bank, once per payout; Contradiction without an open hold."""
    tx.book.add(completion(done), now=now)
