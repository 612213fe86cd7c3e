"""Tell Prometheus how old the oldest payout is that has not ended, by status."""

from payout.metrics import OLDEST_OPEN, OPEN
from payout.ports import Deps


async def watch_open(deps: Deps) -> int:
    """Every worker tells the same, each from the database; 0, since looking is not work found."""
    async with deps.transaction() as tx:
        oldest = await tx.payouts.oldest_open(OPEN)
    now = deps.now()
    for status in OPEN:
        age_s = (now - oldest.get(status, now)).total_seconds()
        OLDEST_OPEN.labels(status.lower()).set(max(0.0, age_s))
    return 0
