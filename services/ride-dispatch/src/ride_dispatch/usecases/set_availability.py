from datetime import datetime
from uuid import UUID

from kernel.refusals import NotYetKnown
from ride_dispatch.domain.driver import DriverState, require_active_driver
from ride_dispatch.ports import Tx
from ride_dispatch.usecases.release_offers import release_offers


async def set_availability(tx: Tx, *, driver_id: UUID, online: bool, now: datetime) -> DriverState:
    """A driver goes on or off duty; going off withdraws their open offers, a trip goes on to its end.

    Raises NotYetKnown, AccountNotActive, DriverNotApproved: only to go online.
    """
    if online:
        profile = await tx.profiles.get(driver_id)
        if profile is None:
            raise NotYetKnown
        require_active_driver(profile)
    else:
        await release_offers(tx, driver_id=driver_id, now=now)
    # The rides' rows come before the driver's in every verb, so that no two verbs wait for each other.
    await tx.drivers.lock(driver_id)
    await tx.drivers.set_online(driver_id, online=online, now=now)
    state = await tx.drivers.get(driver_id)
    assert state is not None
    return state
