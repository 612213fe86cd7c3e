"""What ride-dispatch listens to: profiles, payments, and its own locations."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final, cast

from contracts.base import Fact
from contracts.identity import Profile
from contracts.payment import PaymentConfirmed, PaymentIntentCreated, PaymentRefunded
from contracts.ride_dispatch import CancelReason, DriverLocationUpdated, RideStatus
from messaging import Delivery
from ride_dispatch.domain.ride import Ride
from ride_dispatch.domain.search import SearchPolicy
from ride_dispatch.metrics import REASSIGNED, RIDES_CANCELED
from ride_dispatch.ports import Deps, Tx
from ride_dispatch.usecases.apply_profile import apply_profile
from ride_dispatch.usecases.mark_paid import mark_paid
from ride_dispatch.usecases.mark_payment_pending import mark_payment_pending
from ride_dispatch.usecases.mark_refunded import mark_refunded
from ride_dispatch.usecases.record_history import record_history

Pairs = Sequence[tuple[Fact, Delivery]]


async def on_profile(tx: Tx, fact: Profile, delivery: Delivery, *, policy: SearchPolicy) -> None:
    ended = await apply_profile(tx, profile=fact, policy=policy, now=delivery.now)
    if ended:
        tx.after_commit(partial(_count_ended, ended))


async def on_payment_intent_created(tx: Tx, fact: PaymentIntentCreated, delivery: Delivery) -> None:
    await mark_payment_pending(tx, ride_id=fact.ride_id, now=delivery.now)


async def on_payment_confirmed(tx: Tx, fact: PaymentConfirmed, delivery: Delivery) -> None:
    await mark_paid(tx, ride_id=fact.ride_id, amount=fact.amount, now=delivery.now)


async def on_payment_refunded(tx: Tx, fact: PaymentRefunded, delivery: Delivery) -> None:
    await mark_refunded(tx, ride_id=fact.ride_id, total=fact.total_refunded, full=fact.full, now=delivery.now)


async def on_driver_locations(pairs: Pairs, *, deps: Deps) -> None:
    points = [cast(DriverLocationUpdated, fact) for fact, _ in pairs]
    async with deps.transaction() as tx:
        await record_history(tx, points=points, now=deps.now())


HANDLERS: Final[Mapping[type[Fact], Callable[..., Awaitable[None]]]] = {
    Profile: on_profile,
    PaymentIntentCreated: on_payment_intent_created,
    PaymentConfirmed: on_payment_confirmed,
    PaymentRefunded: on_payment_refunded,
}

STREAMS: Final[Mapping[type[Fact], Callable[..., Awaitable[None]]]] = {
    DriverLocationUpdated: on_driver_locations
}


def handlers(policy: SearchPolicy) -> Mapping[type[Fact], Callable[..., Awaitable[None]]]:
    """HANDLERS with this deployment's policy."""
    return {**HANDLERS, Profile: partial(on_profile, policy=policy)}


def streams(deps: Deps) -> Mapping[type[Fact], Callable[[Pairs], Awaitable[None]]]:
    """STREAMS bound to `deps`: they open their own transactions."""
    return {fact: partial(handler, deps=deps) for fact, handler in STREAMS.items()}


async def _count_ended(ended: Sequence[Ride]) -> None:
    for ride in ended:
        counter = RIDES_CANCELED if ride.status is RideStatus.CANCELED else REASSIGNED
        counter.labels(reason=CancelReason.SAFETY).inc()
