from datetime import timedelta

from ride_dispatch.metrics import INDEX_REBUILDS
from ride_dispatch.ports import Deps


async def rebuild_index(deps: Deps) -> bool:
    """Fill the geo index from the drivers' states in Postgres; False when Valkey is away."""
    now = deps.now()
    async with deps.transaction() as tx:
        drivers = await tx.drivers.indexable(since=now - timedelta(seconds=deps.search.fresh_s))
    filled = await deps.index.fill(drivers, now=now)
    if filled:
        INDEX_REBUILDS.inc()
    return filled
