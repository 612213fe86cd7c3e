from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from ride_dispatch.ports import Tx


async def retire_drivers(tx: Tx, *, silent_s: float, limit: int, now: datetime) -> Sequence[UUID]:
    """Take drivers off duty whose phones have been silent for too long; those on a trip stay."""
    return await tx.drivers.retire(silent_since=now - timedelta(seconds=silent_s), limit=limit, now=now)
