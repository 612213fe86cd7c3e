"""Keep what the ledger says of a driver's balance."""

from datetime import datetime

from payout.domain.known_balance import KnownBalance
from payout.ports import Tx


async def follow_balance(tx: Tx, *, balance: KnownBalance, now: datetime) -> bool:
    """False when something newer is known already."""
    return await tx.balances.put(balance, now=now)
