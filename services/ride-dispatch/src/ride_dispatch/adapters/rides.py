"""Rides in Postgres, which alone decides who won."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asyncpg import UniqueViolationError
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.ride_dispatch import RideStatus
from ride_dispatch.adapters.mapping import ride_of, ride_row, search_row
from ride_dispatch.adapters.tables import rides
from ride_dispatch.domain.offer import DriverBusy
from ride_dispatch.domain.ride import DRIVEN, OPEN, SEARCHED, UNPAID, ActiveRideExists, Ride
from ride_dispatch.domain.search import Search
from ride_dispatch.ports import Cursor
from storage import Prepared

ONE_OPEN_A_PASSENGER: Final = "uq_rides_passenger_open"
ONE_ACTIVE_A_DRIVER: Final = "uq_rides_driver_active"


class SqlRides:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, ride: Ride) -> None:
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(rides).values(ride_row(ride)))
        except IntegrityError as error:
            if _breaks(error, ONE_OPEN_A_PASSENGER):
                raise ActiveRideExists from error
            raise

    async def get(self, ride_id: UUID) -> Ride | None:
        return await self._one(_GET, ride_id)

    async def lock(self, ride_id: UUID) -> Ride | None:
        return await self._one(_LOCK, ride_id)

    async def lock_if_free(self, ride_id: UUID) -> Ride | None:
        return await self._one(_LOCK_IF_FREE, ride_id)

    async def save(self, ride: Ride) -> None:
        if ride.status not in DRIVEN:
            await self._write(ride)
            return
        # Only what is driven can break the index, and the caller's transaction must outlive that.
        try:
            async with self._session.begin_nested():
                await self._write(ride)
        except UniqueViolationError as error:
            if error.constraint_name == ONE_ACTIVE_A_DRIVER:
                raise DriverBusy from error
            raise

    async def _write(self, ride: Ride) -> None:
        values = {"saved": ride.id, "was": ride.version - 1, **ride_row(ride)}
        if await _SAVE.fetch_one(self._session, values) is None:
            # Every verb locks the row first, so this is a bug, never a race.
            raise RuntimeError(f"ride {ride.id} is not at version {ride.version - 1}")

    async def save_search(self, ride_id: UUID, search: Search) -> None:
        await self._session.execute(update(rides).where(rides.c.id == ride_id).values(search_row(search)))

    async def due_for_wave(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        return await self._searched(_DUE_FOR_WAVE, now=now, limit=limit)

    async def due_for_end(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        return await self._searched(_DUE_FOR_END, now=now, limit=limit)

    async def owes(self, passenger_id: UUID) -> bool:
        unpaid = (
            (rides.c.passenger_id == passenger_id) & rides.c.status.in_(UNPAID) & (rides.c.final_fare > 0)
        )
        found: bool = (await self._session.execute(select(exists().where(unpaid)))).scalar_one()
        return found

    async def active_of(self, user_id: UUID) -> Sequence[Ride]:
        query = _newest_first(_mine(user_id) & rides.c.status.in_(OPEN), after=None)
        return await self._many(query)

    async def history_of(self, user_id: UUID, *, after: Cursor | None, limit: int) -> Sequence[Ride]:
        query = _newest_first(_mine(user_id) & rides.c.status.not_in(OPEN), after=after)
        return await self._many(query.limit(limit))

    async def count_by_status(self) -> Mapping[RideStatus, int]:
        query = select(rides.c.status, func.count()).where(rides.c.status.in_(OPEN)).group_by(rides.c.status)
        found = {RideStatus(status): count for status, count in await self._session.execute(query)}
        return {status: found.get(status, 0) for status in OPEN}

    async def _searched(self, due: Prepared, *, now: datetime, limit: int) -> Sequence[UUID]:
        return [ride_id for (ride_id,) in await due.fetch(self._session, {"now": now, "limit": limit})]

    async def _one(self, query: Prepared, ride_id: UUID) -> Ride | None:
        row = await query.fetch_one(self._session, {"wanted": ride_id})
        return ride_of(row) if row is not None else None

    async def _many(self, query: Select[Any]) -> Sequence[Ride]:
        return [ride_of(row) for row in (await self._session.execute(query)).mappings()]


def _searched(due: ColumnElement[bool], *, order: ColumnElement[Any]) -> Prepared:
    # As literals: the index is on those statuses alone.
    searched = rides.c.status.in_([literal_column(f"'{status}'") for status in sorted(SEARCHED)])
    limit = bindparam("limit", type_=Integer)
    return Prepared(select(rides.c.id).where(searched, due).order_by(order).limit(limit))


_BY_ID: Final = select(rides).where(rides.c.id == bindparam("wanted"))
_GET: Final = Prepared(_BY_ID)
_LOCK: Final = Prepared(_BY_ID.with_for_update())
_LOCK_IF_FREE: Final = Prepared(_BY_ID.with_for_update(skip_locked=True))
_NOW: Final = bindparam("now", type_=rides.c.search_ends_at.type)
_DUE_FOR_WAVE: Final = _searched(
    (rides.c.next_wave_at <= _NOW) & (rides.c.search_ends_at > _NOW), order=rides.c.next_wave_at
)
_DUE_FOR_END: Final = _searched(rides.c.search_ends_at <= _NOW, order=rides.c.search_ends_at)
_SAVE: Final = Prepared(
    update(rides)
    .where(rides.c.id == bindparam("saved"), rides.c.version == bindparam("was"))
    .returning(rides.c.id),
    columns=[column.name for column in rides.c if column.name != "updated_at"],
)


def _mine(user_id: UUID) -> ColumnElement[bool]:
    return or_(rides.c.passenger_id == user_id, rides.c.driver_id == user_id)


def _newest_first(condition: ColumnElement[bool], *, after: Cursor | None) -> Select[Any]:
    query = select(rides).where(condition)
    if after is not None:
        query = query.where(tuple_(rides.c.created_at, rides.c.id) < after)
    return query.order_by(rides.c.created_at.desc(), rides.c.id.desc())


def _breaks(error: IntegrityError, index: str) -> bool:
    return index in str(error.orig)
