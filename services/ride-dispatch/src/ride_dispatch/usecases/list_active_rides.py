from collections.abc import Sequence
from uuid import UUID

from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Tx


async def list_active_rides(tx: Tx, *, user_id: UUID) -> Sequence[Ride]:
    """The rides of a passenger or driver that are not over: at most a handful, newest first."""
    return await tx.rides.active_of(user_id)
