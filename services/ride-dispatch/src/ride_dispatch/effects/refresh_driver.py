from uuid import UUID

from ride_dispatch.ports import Deps


async def refresh_driver(deps: Deps, *, driver_id: UUID) -> None:
    """Make the geo index agree with what Postgres says of a driver, after a commit that changed it."""
    async with deps.transaction() as tx:
        duty = await tx.drivers.duty(driver_id)
    await deps.index.refresh(driver_id, category=duty.category, fallback=duty.located)
