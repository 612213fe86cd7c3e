"""What payment listens to: rides."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from contracts.base import Fact
from contracts.ride_dispatch import (
    RideAccepted,
    RideCanceled,
    RideCompleted,
    RideNoDriverFound,
    RideRequested,
)
from kernel.money import ZERO
from messaging import Delivery
from payment.domain.policy import Policy
from payment.domain.ride import Ride, RideState
from payment.ports import Tx
from payment.usecases.follow_ride import follow_ride
from payment.usecases.open_intent import open_intent


async def on_ride_requested(tx: Tx, fact: RideRequested, delivery: Delivery) -> None:
    await follow_ride(tx, ride=Ride(id=fact.ride_id, passenger_id=fact.passenger_id))


async def on_ride_accepted(tx: Tx, fact: RideAccepted, delivery: Delivery) -> None:
    ride = Ride(id=fact.ride_id, passenger_id=fact.passenger_id, driver_id=fact.driver_id)
    await follow_ride(tx, ride=ride)


async def on_ride_completed(tx: Tx, fact: RideCompleted, delivery: Delivery, *, policy: Policy) -> None:
    ride = Ride(
        id=fact.ride_id,
        passenger_id=fact.passenger_id,
        driver_id=fact.driver_id,
        state=RideState.COMPLETED,
        fare=fact.final_fare,
        commission=fact.commission,
    )
    await follow_ride(tx, ride=ride)
    if fact.final_fare > ZERO:
        await open_intent(tx, ride_id=fact.ride_id, now=delivery.now, ttl_s=policy.charge_ttl_s)


async def on_ride_ended(tx: Tx, fact: RideCanceled | RideNoDriverFound, delivery: Delivery) -> None:
    ride = Ride(id=fact.ride_id, passenger_id=fact.passenger_id, state=RideState.CLOSED)
    await follow_ride(tx, ride=ride)


def handlers(policy: Policy) -> Mapping[type[Fact], Callable[..., Awaitable[None]]]:
    """HANDLERS with this deployment's policy."""
    return {**HANDLERS, RideCompleted: partial(on_ride_completed, policy=policy)}


HANDLERS: Mapping[type[Fact], Callable[..., Awaitable[None]]] = {
    RideRequested: on_ride_requested,
    RideAccepted: on_ride_accepted,
    RideCompleted: on_ride_completed,
    RideCanceled: on_ride_ended,
    RideNoDriverFound: on_ride_ended,
}
