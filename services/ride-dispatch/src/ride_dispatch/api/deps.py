"""What routes work with, and whose ride or desk it is."""

from contextlib import suppress
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Request

import web
from contracts.identity import Profile
from kernel.refusals import NotFound, NotYetKnown
from ride_dispatch.domain.driver import may_drive
from ride_dispatch.ports import Deps
from ride_dispatch.usecases.read_ride import read_ride
from web import Principal


async def _deps(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


DepsDep = Annotated[Deps, Depends(_deps)]


async def _own_desk(request: Request) -> UUID:
    """`/drivers/{driver_id}/…` is that driver's alone."""
    principal = await web.authenticate(request)
    if request.path_params["driver_id"].lower() != str(principal.user_id):
        raise NotFound
    return principal.user_id


OwnDesk = Annotated[UUID, Depends(web.before_body(_own_desk))]


async def _party(request: Request) -> Principal:
    """The ride's passenger or its driver: another's ride is like none, whatever the body says."""
    principal = await web.authenticate(request)
    try:
        ride_id = UUID(request.path_params["ride_id"])
    except ValueError:
        raise NotFound from None
    deps = await _deps(request)
    async with deps.transaction() as tx:
        await read_ride(tx, ride_id=ride_id, user_id=principal.user_id, is_admin=False)
    return principal


Party = Annotated[Principal, Depends(web.before_body(_party))]


async def require_known(deps: Deps, user_id: UUID) -> Profile:
    """The user's profile, given a moment to arrive. Raises NotYetKnown."""

    async def read() -> Profile | None:
        async with deps.transaction() as tx:
            profile: Profile | None = await tx.profiles.get(user_id)
        return profile

    return await web.wait_until_known(read)


async def give_time_to_be_known(deps: Deps, driver_id: UUID) -> None:
    """Wait a moment for an approval that may be on its way: the app hears of it before this service can.

    Raises NotYetKnown for a driver without a profile; whether this one may drive, the verb decides.
    """
    await require_known(deps, driver_id)

    async def read() -> Profile | None:
        async with deps.transaction() as tx:
            profile: Profile | None = await tx.profiles.get(driver_id)
        return profile if profile is not None and may_drive(profile) else None

    with suppress(NotYetKnown):
        await web.wait_until_known(read)
