"""Pass drivers' positions on to the passengers who wait for them."""

from collections.abc import Sequence
from uuid import UUID

from contracts.ride_dispatch import DriverLocationUpdated
from notification.domain.audience import location_message
from notification.ports import Announcer, FastPathAway


async def announce_locations(
    announcer: Announcer, *, points: Sequence[tuple[DriverLocationUpdated, UUID]]
) -> int:
    """Only each driver's newest point of a batch matters; how many passengers were told."""
    newest = {fact.driver_id: (fact, event_id) for fact, event_id in points}
    told = 0
    for fact, event_id in newest.values():
        message = location_message(fact, event_id=event_id)
        if message is None:
            continue
        try:
            await announcer.announce_location(message)
        except FastPathAway:
            return told
        told += 1
    return told
