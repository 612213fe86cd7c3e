from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.ride_dispatch import DriverLocationUpdated
from ride_dispatch.ports import Tx


async def record_history(tx: Tx, *, points: Sequence[DriverLocationUpdated], now: datetime) -> int:
    """Write a batch of points to the day's partition; returns how many were new.

    Older ones than a day are left out: Kafka keeps none, and their partition may be gone.
    """
    oldest = now - timedelta(days=1)
    kept = [point for point in points if point.recorded_at >= oldest]
    return await tx.locations.add(kept) if kept else 0
