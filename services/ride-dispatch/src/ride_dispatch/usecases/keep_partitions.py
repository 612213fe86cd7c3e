from datetime import datetime, timedelta

from ride_dispatch.ports import Tx


async def keep_partitions(tx: Tx, *, ahead_days: int, retention_days: int, now: datetime) -> None:
    """Make the location history's days ahead and drop those past the retention (days are UTC)."""
    today = now.date()
    # Yesterday too: a record may wait in Kafka for up to a day.
    await tx.locations.keep_partitions(
        first=today - timedelta(days=1),
        last=today + timedelta(days=ahead_days),
        oldest=today - timedelta(days=retention_days),
    )
