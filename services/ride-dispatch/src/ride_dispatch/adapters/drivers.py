"""Drivers' states and the profiles projection in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asyncpg import Record
from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import ApprovalStatus, Profile, UserStatus, UserType, VehicleCategory
from ride_dispatch.adapters.mapping import degrees_of, place_of
from ride_dispatch.adapters.tables import driver_states, profiles, ride_offers, rides
from ride_dispatch.domain.driver import DriverState, served_category
from ride_dispatch.domain.location import Point
from ride_dispatch.domain.matching import Candidate, Near
from ride_dispatch.domain.place import Place, box_around
from ride_dispatch.domain.ride import DRIVEN
from ride_dispatch.ports import DriverPosition, Duty, Indexed
from storage import Prepared, driver_of

MOST_NEARBY: Final = 2000
"""A bound on what one search without the index may read; a box of that many free drivers serves any wave."""

FREE: Final = and_(driver_states.c.online, driver_states.c.current_ride_id.is_(None))
MAY_DRIVE: Final = and_(
    profiles.c.user_type == UserType.DRIVER,
    profiles.c.status == UserStatus.ACTIVE,
    profiles.c.approval_status == ApprovalStatus.APPROVED,
)


class SqlDrivers:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self, driver_id: UUID) -> DriverState:
        make = postgresql.insert(driver_states).values(driver_id=driver_id, online=False, status="offline")
        await self._session.execute(make.on_conflict_do_nothing())
        query = select(driver_states).where(driver_states.c.driver_id == driver_id).with_for_update()
        return _state_of((await self._session.execute(query)).mappings().one())

    async def get(self, driver_id: UUID) -> DriverState | None:
        query = select(driver_states).where(driver_states.c.driver_id == driver_id)
        row = (await self._session.execute(query)).mappings().one_or_none()
        return _state_of(row) if row is not None else None

    async def set_online(self, driver_id: UUID, *, online: bool, now: datetime) -> None:
        since = case((driver_states.c.online, driver_states.c.online_since), else_=now) if online else null()
        await self._write(driver_id, online=online, online_since=since, status=_status(online=online))

    async def begin_trip(self, driver_id: UUID, *, ride_id: UUID) -> None:
        await self._write(driver_id, current_ride_id=ride_id, status="on_trip")

    async def end_trip(self, driver_id: UUID, *, ride_id: UUID) -> None:
        freed = case((driver_states.c.online, "available"), else_="offline")
        await self._session.execute(
            update(driver_states)
            .where(driver_states.c.driver_id == driver_id, driver_states.c.current_ride_id == ride_id)
            .values(current_ride_id=None, status=freed)
        )

    async def lock_candidates(
        self, nearby: Sequence[Near], *, category: VehicleCategory
    ) -> Sequence[Candidate]:
        distances = {near.driver_id: near.distance_m for near in nearby}
        locked = (
            select(driver_states)
            .where(driver_states.c.driver_id.in_(distances))
            .order_by(driver_states.c.driver_id)
            .with_for_update()
        )
        # The offers are counted by a second statement: its snapshot is taken once the rows are locked.
        states = [_state_of(row) for row in (await self._session.execute(locked)).mappings()]
        known = {row["user_id"]: row for row in await self._known(distances)}
        return [
            _candidate(state, known.get(state.driver_id), distances[state.driver_id], category)
            for state in states
        ]

    async def near(
        self, *, category: VehicleCategory, place: Place, radius_m: float, since: datetime
    ) -> Sequence[Indexed]:
        box = box_around(place, radius_m=radius_m)
        west, east = degrees_of(box.west), degrees_of(box.east)
        lon = driver_states.c.current_lon
        columns = lon.between(west, east) if west <= east else or_(lon >= west, lon <= east)
        rows = driver_states.c.current_lat.between(degrees_of(box.south), degrees_of(box.north))
        query = _indexable(since).where(profiles.c.category == category, rows, columns)
        return await self._indexed(query.limit(MOST_NEARBY))

    async def indexable(self, *, since: datetime) -> Sequence[Indexed]:
        return await self._indexed(_indexable(since))

    async def duty(self, driver_id: UUID) -> Duty:
        return _duty_of(await _DUTY.fetch_one(self._session, {"wanted": driver_id}))

    async def store_positions(self, positions: Sequence[DriverPosition], *, now: datetime) -> None:
        ordered = sorted(positions, key=lambda position: position.driver_id)
        driver = await driver_of(self._session)
        await driver.execute(
            _STORE_POSITIONS,
            [position.driver_id for position in ordered],
            [degrees_of(position.point.place.lat) for position in ordered],
            [degrees_of(position.point.place.lon) for position in ordered],
            [position.point.recorded_at for position in ordered],
            now,
        )

    async def retire(self, *, silent_since: datetime, now: datetime, limit: int) -> Sequence[UUID]:
        heard = func.greatest(driver_states.c.located_at, driver_states.c.online_since)
        silent = (
            select(driver_states.c.driver_id)
            .where(FREE, heard < silent_since)
            .order_by(driver_states.c.driver_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        write = (
            update(driver_states)
            .where(driver_states.c.driver_id.in_(silent.scalar_subquery()))
            .values(online=False, online_since=None, status="offline", updated_at=now)
            .returning(driver_states.c.driver_id)
        )
        return list((await self._session.execute(write)).scalars())

    async def count(self) -> tuple[int, int]:
        query = select(func.count(), func.count().filter(FREE)).where(driver_states.c.online)
        online, available = (await self._session.execute(query)).one()
        return online, available

    async def _write(self, driver_id: UUID, **values: Any) -> None:
        await self._session.execute(
            update(driver_states).where(driver_states.c.driver_id == driver_id).values(**values)
        )

    async def _known(self, driver_ids: Any) -> Sequence[RowMapping]:
        open_offers = (
            select(func.count())
            .where(ride_offers.c.driver_id == profiles.c.user_id, ride_offers.c.response.is_(None))
            .scalar_subquery()
        )
        query = select(
            profiles.c.user_id,
            profiles.c.category,
            profiles.c.average_rating,
            MAY_DRIVE.label("eligible"),
            open_offers.label("open_offers"),
        ).where(profiles.c.user_id.in_(driver_ids))
        return (await self._session.execute(query)).mappings().all()

    async def _indexed(self, query: Select[Any]) -> Sequence[Indexed]:
        rows = (await self._session.execute(query)).mappings()
        return [
            Indexed(
                driver_id=row["driver_id"],
                category=VehicleCategory(row["category"]),
                place=place_of(row, "current"),
                located_at=row["located_at"],
            )
            for row in rows
        ]


class SqlProfiles:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, user_id: UUID) -> Profile | None:
        stored = await self._session.scalar(select(profiles.c.profile).where(profiles.c.user_id == user_id))
        return Profile.model_validate(stored) if stored is not None else None

    async def put(self, profile: Profile) -> bool:
        write = postgresql.insert(profiles).values(_profile_row(profile))
        changed = {name: write.excluded[name] for name in _profile_row(profile) if name != "user_id"}
        write = write.on_conflict_do_update(
            index_elements=["user_id"],
            set_=changed | {"updated_at": func.now()},
            where=profiles.c.version < write.excluded.version,
        )
        written = await self._session.scalar(write.returning(profiles.c.user_id))
        return written is not None


def _status(*, online: bool) -> ColumnElement[str]:
    free = "available" if online else "offline"
    return case((driver_states.c.current_ride_id.is_not(None), "on_trip"), else_=free)


def _state_of(row: RowMapping) -> DriverState:
    return DriverState(
        driver_id=row["driver_id"],
        online=row["online"],
        current_ride_id=row["current_ride_id"],
        place=place_of(row, "current") if row["current_lat"] is not None else None,
        located_at=row["located_at"],
    )


def _candidate(
    state: DriverState, known: RowMapping | None, distance_m: int, category: VehicleCategory
) -> Candidate:
    return Candidate(
        driver_id=state.driver_id,
        distance_m=distance_m,
        online=state.online,
        busy=state.current_ride_id is not None,
        eligible=known is not None and bool(known["eligible"]),
        same_category=known is not None and known["category"] == category,
        open_offers=known["open_offers"] if known is not None else 0,
        rating=known["average_rating"] if known is not None else None,
    )


def _indexable(since: datetime) -> Select[Any]:
    return (
        select(driver_states, cast(profiles.c.category, Text).label("category"))
        .join(profiles, profiles.c.user_id == driver_states.c.driver_id)
        .where(FREE, MAY_DRIVE, profiles.c.category.is_not(None), driver_states.c.located_at >= since)
    )


def _duty() -> Select[Any]:
    driven = any_(literal(sorted(DRIVEN), type_=postgresql.ARRAY(Text)))
    on_ride = (rides.c.id == driver_states.c.current_ride_id) & (rides.c.status == driven)
    return (
        select(
            driver_states.c.current_lat,
            driver_states.c.current_lon,
            driver_states.c.located_at,
            case((FREE & MAY_DRIVE, profiles.c.category)).label("category"),
            rides.c.id.label("ride_id"),
            rides.c.passenger_id,
            rides.c.accepted_at,
        )
        .select_from(driver_states)
        .outerjoin(profiles, profiles.c.user_id == driver_states.c.driver_id)
        .outerjoin(rides, on_ride)
        .where(driver_states.c.driver_id == bindparam("wanted"))
    )


_DUTY: Final = Prepared(_duty())
# One text for any number of rows: a VALUES of each length is another statement to compile and to prepare.
_STORE_POSITIONS: Final = """
INSERT INTO driver_states AS d (driver_id, online, status, current_lat, current_lon, located_at)
SELECT id, false, 'offline', lat, lon, at
FROM unnest($1::uuid[], $2::numeric[], $3::numeric[], $4::timestamptz[]) AS heard (id, lat, lon, at)
ORDER BY id
ON CONFLICT (driver_id) DO UPDATE
SET current_lat = excluded.current_lat, current_lon = excluded.current_lon, located_at = excluded.located_at,
    updated_at = $5
WHERE d.located_at IS NULL OR excluded.located_at > d.located_at"""


def _duty_of(row: Record | None) -> Duty:
    if row is None:
        return Duty(located=None, category=None, ride_id=None, passenger_id=None, accepted_at=None)
    located = row["located_at"]
    return Duty(
        located=Point(place=place_of(row, "current"), recorded_at=located) if located else None,
        category=VehicleCategory(row["category"]) if row["category"] else None,
        ride_id=row["ride_id"],
        passenger_id=row["passenger_id"],
        accepted_at=row["accepted_at"],
    )


def _profile_row(profile: Profile) -> dict[str, Any]:
    return {
        "user_id": profile.user_id,
        "version": profile.version,
        "user_type": profile.user_type,
        "status": profile.status,
        "approval_status": profile.approval_status,
        "category": served_category(profile),
        "average_rating": profile.average_rating,
        "profile": profile.model_dump(mode="json"),
    }
