from ride_dispatch.ports import Deps
from ride_dispatch.usecases.store_positions import store_positions


async def flush_positions(deps: Deps) -> int:
    """Write the last positions that this process heard since the last flush; returns how many."""
    positions = deps.trails.take()
    if not positions:
        return 0
    try:
        async with deps.transaction() as tx:
            await store_positions(tx, positions=positions, now=deps.now())
    except BaseException:
        deps.trails.give_back(positions)
        raise
    return len(positions)
