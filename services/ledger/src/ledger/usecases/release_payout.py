"""Give a failed payout's hold back."""

from datetime import datetime

from contracts.payout import PayoutFailed
from ledger.domain.payout import release
from ledger.ports import Tx


async def release_payout(tx: Tx, *, failed: PayoutFailed, now: datetime) -> None:
    """Reverse the hold by new entries, once per payout; a failure before any hold posts nothing."""
    tx.book.add(release(failed), now=now)
