from ride_dispatch.ports import Activity, Tx


async def count_activity(tx: Tx) -> Activity:
    """What the gauges show: open rides by state, drivers on duty, drivers free."""
    online, available = await tx.drivers.count()
    return Activity(
        rides_by_status=await tx.rides.count_by_status(),
        drivers_online=online,
        drivers_available=available,
    )
