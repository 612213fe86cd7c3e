"""What notification listens to: everything that an app hears of, and drivers' positions."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from contracts.base import Fact
from contracts.ride_dispatch import DriverLocationUpdated
from messaging import Delivery
from notification.domain.audience import AUDIENCES
from notification.effects.announce_locations import announce_locations
from notification.ports import Announcer, Tx
from notification.usecases.log_messages import log_messages


async def on_fact(tx: Tx, fact: Fact, delivery: Delivery) -> None:
    await log_messages(tx, fact=fact, event_id=delivery.id, occurred_at=delivery.time)


async def on_locations(
    batch: Sequence[tuple[DriverLocationUpdated, Delivery]], *, announcer: Announcer
) -> None:
    await announce_locations(announcer, points=[(fact, delivery.id) for fact, delivery in batch])


HANDLERS: Final[Mapping[type[Fact], Callable[[Tx, Fact, Delivery], Awaitable[None]]]] = dict.fromkeys(
    AUDIENCES, on_fact
)
STREAMS: Final[Mapping[type[Fact], Callable[..., Awaitable[None]]]] = {DriverLocationUpdated: on_locations}


def streams(announcer: Announcer) -> Mapping[type[Fact], Callable[..., Awaitable[None]]]:
    """STREAMS with the announcer to use."""
    return {fact: partial(handler, announcer=announcer) for fact, handler in STREAMS.items()}
