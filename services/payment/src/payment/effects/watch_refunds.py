"""Tell Prometheus how old the oldest refund is that Efí has not decided."""

from payment.metrics import OLDEST_OPEN_REFUND
from payment.ports import Deps


async def watch_refunds(deps: Deps) -> int:
    """Every worker tells the same, each from the database; 0, since looking is not work found."""
    async with deps.transaction() as tx:
        oldest = await tx.refunds.oldest_open()
    age_s = 0.0 if oldest is None else (deps.now() - oldest).total_seconds()
    OLDEST_OPEN_REFUND.set(max(0.0, age_s))
    return 0
