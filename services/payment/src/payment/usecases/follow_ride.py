"""Keep what payment knows of a ride in step with ride-dispatch."""

from payment.domain.ride import Ride, RideState
from payment.ports import Tx


async def follow_ride(tx: Tx, *, ride: Ride) -> None:
    """Take over the state that a fact tells; a ride that ended does not open again."""
    known = await tx.rides.lock(ride.id)
    if known is None or known.state is RideState.OPEN:
        await tx.rides.put(ride)
