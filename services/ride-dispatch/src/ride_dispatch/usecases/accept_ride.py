from datetime import datetime
from uuid import UUID

from contracts.identity import Profile
from contracts.ride_dispatch import OfferEnd, RideAccepted, RideStatus
from kernel.refusals import NotFound, NotYetKnown
from ride_dispatch.domain.driver import card_of, require_active_driver
from ride_dispatch.domain.offer import DriverBusy, OfferResponse, RideNotAvailable
from ride_dispatch.domain.ride import DRIVEN, FINISHED, Ride
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.withdraw_offers import withdraw_offers


async def accept_ride(
    tx: Tx, *, ride_id: UUID, driver_id: UUID, idempotency_key: str, now: datetime
) -> Ride | RideNotAvailable:
    """A driver takes an offered ride: exactly one of all who try.

    The ride's row lock, a compare-and-set and the partial unique index decide; the attempt is recorded
    either way, so a lost race is returned, not raised. A winner who asks again gets the ride. Raises
    NotFound, NotYetKnown, AccountNotActive, DriverNotApproved.
    """
    profile = await tx.profiles.get(driver_id)
    if profile is None:
        raise NotYetKnown
    require_active_driver(profile)
    ride = await tx.rides.lock(ride_id)
    if ride is None:
        raise NotFound
    try:
        taken = await _take(tx, ride=ride, profile=profile, now=now)
    except RideNotAvailable as lost:
        await _record(tx, ride_id, driver_id, idempotency_key, failure_reason=lost.detail, now=now)
        return lost
    await _record(tx, ride_id, driver_id, idempotency_key, failure_reason=None, now=now)
    return taken


async def _take(tx: Tx, *, ride: Ride, profile: Profile, now: datetime) -> Ride:
    driver_id = profile.user_id
    if ride.driver_id == driver_id and ride.status in DRIVEN | FINISHED:
        return ride
    await _require_open_offer(tx, ride=ride, driver_id=driver_id, now=now)
    driver = await tx.drivers.lock(driver_id)
    if driver.current_ride_id is not None:
        raise DriverBusy("driver_busy")
    accepted = ride.accept(driver_id=driver_id, card=card_of(profile), now=now)
    try:
        await tx.rides.save(accepted)
    except DriverBusy as error:
        raise DriverBusy("driver_busy") from error
    await tx.drivers.begin_trip(driver_id, ride_id=ride.id)
    await tx.publish(_accepted(accepted, now=now), version=accepted.version)
    await tx.offers.close(ride_id=ride.id, response=OfferResponse.ACCEPTED, only=(driver_id,), now=now)
    await withdraw_offers(tx, ride=accepted, reason=OfferEnd.TAKEN, now=now)
    return accepted


async def _require_open_offer(tx: Tx, *, ride: Ride, driver_id: UUID, now: datetime) -> None:
    """Raise RideNotAvailable with the reason that the attempt's row keeps."""
    offer = await tx.offers.get(ride_id=ride.id, driver_id=driver_id)
    if offer is None:
        raise RideNotAvailable("never_offered")
    if ride.status is not RideStatus.OFFERED:
        raise RideNotAvailable("not_offered_any_more")
    if not offer.is_open(now=now):
        raise RideNotAvailable("offer_over")


async def _record(
    tx: Tx, ride_id: UUID, driver_id: UUID, key: str, *, failure_reason: str | None, now: datetime
) -> None:
    # The driver's id makes the blueprint's globally unique key truly unique.
    stored = f"{driver_id}:{key}"
    await tx.attempts.add(
        ride_id=ride_id, driver_id=driver_id, key=stored, failure_reason=failure_reason, now=now
    )


def _accepted(ride: Ride, *, now: datetime) -> RideAccepted:
    assert ride.driver_card is not None
    return RideAccepted(
        ride_id=ride.id,
        passenger_id=ride.passenger_id,
        driver_id=ride.driver(),
        driver=ride.driver_card,
        accepted_at=now,
    )
