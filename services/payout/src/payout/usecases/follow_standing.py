"""Keep identity's newest word on a driver."""

from datetime import datetime

from payout.domain.standing import Standing
from payout.ports import Tx


async def follow_standing(tx: Tx, *, standing: Standing, now: datetime) -> bool:
    """False when something newer is known already."""
    return await tx.standings.put(standing, now=now)
