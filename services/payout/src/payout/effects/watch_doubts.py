"""Tell Prometheus how long the oldest unknown result has been unknown."""

from payout.metrics import UNKNOWN_OLDEST
from payout.ports import Deps


async def watch_doubts(deps: Deps) -> int:
    """Every worker tells the same, each from the database; 0, since looking is not work found."""
    async with deps.transaction() as tx:
        oldest = await tx.payouts.oldest_in_doubt()
    age_s = 0.0 if oldest is None else (deps.now() - oldest).total_seconds()
    UNKNOWN_OLDEST.set(max(0.0, age_s))
    return 0
