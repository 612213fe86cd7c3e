from collections.abc import Sequence
from datetime import datetime

from contracts.identity import Profile, UserStatus, UserType
from contracts.ride_dispatch import CanceledBy, CancelReason
from kernel.actor import SYSTEM
from ride_dispatch.domain.driver import may_drive
from ride_dispatch.domain.ride import DRIVEN, SEARCHED, Ride
from ride_dispatch.domain.search import SearchPolicy
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.cancel_ride import cancel_ride
from ride_dispatch.usecases.release_offers import release_offers


async def apply_profile(tx: Tx, *, profile: Profile, policy: SearchPolicy, now: datetime) -> Sequence[Ride]:
    """Keep identity's newest word on a user, and act on it; returns the rides that it ended.

    An older word changes nothing. Who may drive no more is taken offline. A suspended or banned user's
    rides that have not started are canceled, or go to another driver; a ride under way is left to end.
    """
    if not await tx.profiles.put(profile):
        return ()
    ended: Sequence[Ride] = ()
    if profile.status is not UserStatus.ACTIVE:
        ended = await _free_rides(tx, profile=profile, policy=policy, now=now)
    if profile.user_type is UserType.DRIVER and not may_drive(profile):
        await _take_offline(tx, profile=profile, now=now)
    return ended


async def _take_offline(tx: Tx, *, profile: Profile, now: datetime) -> None:
    state = await tx.drivers.get(profile.user_id)
    if state is None or not state.online:
        return
    await release_offers(tx, driver_id=profile.user_id, now=now)
    await tx.drivers.lock(profile.user_id)
    await tx.drivers.set_online(profile.user_id, online=False, now=now)


async def _free_rides(tx: Tx, *, profile: Profile, policy: SearchPolicy, now: datetime) -> list[Ride]:
    is_driver = profile.user_type is UserType.DRIVER
    ended: list[Ride] = []
    for ride in await tx.rides.active_of(profile.user_id):
        locked = await tx.rides.lock(ride.id)
        # The row was read before it was locked: it may have moved on meanwhile.
        if locked is None or locked.status not in SEARCHED | DRIVEN or locked.started_at is not None:
            continue
        if is_driver and locked.driver_id != profile.user_id:
            continue
        canceled = await cancel_ride(
            tx,
            ride_id=ride.id,
            by=CanceledBy.DRIVER if is_driver else CanceledBy.SYSTEM,
            actor=SYSTEM,
            reason=CancelReason.SAFETY,
            policy=policy,
            now=now,
        )
        ended.append(canceled)
    return ended
