from collections.abc import Sequence
from datetime import datetime

from ride_dispatch.ports import DriverPosition, Tx


async def store_positions(tx: Tx, *, positions: Sequence[DriverPosition], now: datetime) -> None:
    """Write drivers' last positions in one statement; an older one never replaces a newer one."""
    await tx.drivers.store_positions(positions, now=now)
