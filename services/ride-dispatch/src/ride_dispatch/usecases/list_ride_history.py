from collections.abc import Sequence
from uuid import UUID

from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Cursor, Tx


async def list_ride_history(tx: Tx, *, user_id: UUID, after: Cursor | None, limit: int) -> Sequence[Ride]:
    """The rides of a passenger or driver that are over, newest first; up to `limit` rows."""
    return await tx.rides.history_of(user_id, after=after, limit=limit)
