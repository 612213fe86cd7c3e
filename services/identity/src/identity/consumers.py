"""What identity listens to."""

from collections.abc import Mapping
from typing import Any, Final

from contracts.base import Fact
from contracts.ride_dispatch import RideCompleted, RideRated
from identity.ports import Tx
from identity.usecases.record_rating import record_rating
from identity.usecases.record_ride import record_ride
from messaging import Delivery


async def on_ride_completed(tx: Tx, fact: RideCompleted, delivery: Delivery) -> None:
    await record_ride(tx, passenger_id=fact.passenger_id, driver_id=fact.driver_id, now=delivery.now)


async def on_ride_rated(tx: Tx, fact: RideRated, delivery: Delivery) -> None:
    await record_rating(tx, rated_id=fact.rated_id, stars=fact.stars, now=delivery.now)


HANDLERS: Final[Mapping[type[Fact], Any]] = {RideCompleted: on_ride_completed, RideRated: on_ride_rated}
