"""Hold a payout's amount, or refuse it."""

from datetime import datetime

from contracts.payout import PayoutReady
from ledger.domain.payout import hold
from ledger.ports import Tx


async def hold_payout(tx: Tx, *, ready: PayoutReady, now: datetime) -> None:
    """Decide once, under the lock on this driver's balance: all of the amount, or nothing."""
    tx.book.add(hold(ready), now=now)
