from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ride_dispatch.ports import Cursor, OpenOffer, Tx


async def list_offers(
    tx: Tx, *, driver_id: UUID, after: Cursor | None, limit: int, now: datetime
) -> Sequence[OpenOffer]:
    """The offers that a driver may still answer, newest first; up to `limit` rows."""
    return await tx.offers.open_for(driver_id, now=now, after=after, limit=limit)
