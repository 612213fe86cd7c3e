from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from contracts.ride_dispatch import (
    CanceledBy,
    CancelReason,
    OfferEnd,
    RideCanceled,
    RideReassigning,
    RideStatus,
)
from kernel.actor import Actor
from kernel.refusals import NotFound
from ride_dispatch.domain.ride import Ride
from ride_dispatch.domain.search import SearchPolicy
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.withdraw_offers import withdraw_offers


async def cancel_ride(
    tx: Tx,
    *,
    ride_id: UUID,
    by: CanceledBy,
    actor: Actor,
    reason: CancelReason,
    comment: str | None = None,
    policy: SearchPolicy,
    now: datetime,
) -> Ride:
    """The passenger, the driver or the system wants out.

    A driver who gives the ride up sends it back to the search, without them: unless they waited for a
    passenger who did not come, for then nobody is left to search for. Raises NotFound for another's
    ride, IllegalTransition.
    """
    ride = await tx.rides.lock(ride_id)
    if ride is None or not _may_cancel(ride, by=by, user_id=actor.user_id):
        raise NotFound
    if by is CanceledBy.DRIVER and not _passenger_never_came(ride, reason):
        ended = await _give_up(tx, ride=ride, reason=reason, policy=policy, now=now)
    else:
        ended = await _cancel(tx, ride=ride, by=by, reason=reason, comment=comment, now=now)
    await tx.publish(
        audited(
            "cancel_ride",
            entity_type="ride",
            entity_id=ride_id,
            actor=actor,
            now=now,
            before={"status": ride.status, "driver_id": str(ride.driver_id) if ride.driver_id else None},
            after={"status": ended.status},
            reason=reason,
        )
    )
    return ended


def _may_cancel(ride: Ride, *, by: CanceledBy, user_id: UUID | None) -> bool:
    """The system acts for whoever it names; an app only for its user."""
    if by is CanceledBy.PASSENGER:
        return ride.passenger_id == user_id
    if by is CanceledBy.DRIVER:
        return ride.driver_id is not None and user_id in (ride.driver_id, None)
    return True


def _passenger_never_came(ride: Ride, reason: CancelReason) -> bool:
    return ride.status is RideStatus.DRIVER_ARRIVED and reason is CancelReason.PASSENGER_NO_SHOW


async def _give_up(tx: Tx, *, ride: Ride, reason: CancelReason, policy: SearchPolicy, now: datetime) -> Ride:
    driver_id = ride.driver()
    searching = ride.reassign(policy, now=now)
    await tx.rides.save(searching)
    await tx.offers.exclude(ride_id=ride.id, driver_id=driver_id)
    await tx.drivers.end_trip(driver_id, ride_id=ride.id)
    fact = RideReassigning(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        driver_id=driver_id,
        reason=reason,
        reassigning_at=now,
    )
    await tx.publish(fact, version=searching.version)
    return searching


async def _cancel(
    tx: Tx, *, ride: Ride, by: CanceledBy, reason: CancelReason, comment: str | None, now: datetime
) -> Ride:
    canceled = ride.cancel(by=by, reason=reason, comment=comment, now=now)
    await tx.rides.save(canceled)
    await withdraw_offers(tx, ride=canceled, reason=OfferEnd.RIDE_CANCELED, now=now)
    if ride.driver_id is not None:
        await tx.drivers.end_trip(ride.driver_id, ride_id=ride.id)
    fact = RideCanceled(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        driver_id=ride.driver_id,
        canceled_by=by,
        reason=reason,
        previous_status=ride.status,
        canceled_at=now,
    )
    await tx.publish(fact, version=canceled.version)
    return canceled
