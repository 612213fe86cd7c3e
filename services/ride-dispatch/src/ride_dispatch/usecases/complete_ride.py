from datetime import datetime
from uuid import UUID

from contracts.audit import AuditRecorded, audited
from contracts.ride_dispatch import RideCompleted, RidePaid, RideStatus
from kernel.actor import Actor
from ride_dispatch.domain.fare import FinalFare, final_fare
from ride_dispatch.domain.ride import MOVES, IllegalTransition, Ride
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.lock_driven_ride import lock_driven_ride


async def complete_ride(
    tx: Tx, *, ride_id: UUID, driver_id: UUID, advisory_m: int | None, actor: Actor, now: datetime
) -> Ride:
    """The ride ends; its fare follows the recorded points. With nothing to pay it is PAID at once.

    Raises NotFound for another's ride, IllegalTransition.
    """
    ride = await lock_driven_ride(tx, ride_id=ride_id, driver_id=driver_id)
    completed = ride.complete(await _fare(tx, ride=ride, advisory_m=advisory_m, now=now), now=now)
    await tx.rides.save(completed)
    await tx.drivers.end_trip(driver_id, ride_id=ride_id)
    await tx.publish(_completed(completed, now=now), version=completed.version)
    await tx.publish(_audit(completed, advisory_m=advisory_m, actor=actor, now=now))
    return await _settle_free(tx, ride=completed, now=now)


async def _fare(tx: Tx, *, ride: Ride, advisory_m: int | None, now: datetime) -> FinalFare:
    if RideStatus.COMPLETED not in MOVES[ride.status] or ride.started_at is None:
        raise IllegalTransition(f"{ride.status} to {RideStatus.COMPLETED}")
    points = await tx.locations.path(ride.id, start=ride.started_at, end=now)
    return final_fare(
        ride.tariff,
        pickup=ride.pickup,
        dropoff=ride.dropoff,
        points=points,
        advisory_m=advisory_m,
        elapsed_s=(now - ride.started_at).total_seconds(),
    )


async def _settle_free(tx: Tx, *, ride: Ride, now: datetime) -> Ride:
    if ride.fare() > 0:
        return ride
    paid = ride.pay(now=now)
    await tx.rides.save(paid)
    fact = RidePaid(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        driver_id=ride.driver(),
        amount=ride.fare(),
        paid_at=now,
    )
    await tx.publish(fact, version=paid.version)
    return paid


def _completed(ride: Ride, *, now: datetime) -> RideCompleted:
    assert ride.commission is not None
    assert ride.distance_m is not None
    assert ride.duration_s is not None
    return RideCompleted(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        driver_id=ride.driver(),
        category=ride.category,
        final_fare=ride.fare(),
        commission=ride.commission,
        commission_bps=ride.tariff.commission_bps,
        distance_m=ride.distance_m,
        duration_s=ride.duration_s,
        completed_at=now,
    )


def _audit(ride: Ride, *, advisory_m: int | None, actor: Actor, now: datetime) -> AuditRecorded:
    return audited(
        "complete_ride",
        entity_type="ride",
        entity_id=ride.id,
        actor=actor,
        now=now,
        before={"status": RideStatus.IN_PROGRESS, "estimated_fare": f"{ride.estimated_fare:.2f}"},
        after={
            "status": ride.status,
            "final_fare": f"{ride.fare():.2f}",
            "distance_m": ride.distance_m,
            "advisory_distance_m": advisory_m,
        },
    )
