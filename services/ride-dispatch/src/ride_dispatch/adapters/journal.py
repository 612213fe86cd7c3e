"""Quotes, ratings and the location history in Postgres."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.ride_dispatch import DriverLocationUpdated
from ride_dispatch.adapters.mapping import degrees_of, quote_of, quote_row
from ride_dispatch.adapters.tables import location_updates, quotes, ride_ratings
from ride_dispatch.domain.place import Place
from ride_dispatch.domain.quote import Quote
from ride_dispatch.domain.rating import AlreadyRated, Rating
from storage import driver_of

# One text for any number of points: a VALUES of each length is another statement to compile and to prepare.
_ADD_POINTS: Final = """
INSERT INTO location_updates
  (driver_id, recorded_at, ride_id, lat, lon, accuracy_m, heading_deg, speed_mps)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::numeric[], $5::numeric[], $6::float8[],
                     $7::float8[], $8::float8[])
ON CONFLICT (driver_id, recorded_at) DO NOTHING
RETURNING driver_id"""


class SqlQuotes:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, new: Sequence[Quote], *, now: datetime) -> None:
        rows = [quote_row(quote) | {"created_at": now, "updated_at": now} for quote in new]
        await self._session.execute(insert(quotes), rows)

    async def get(self, quote_id: UUID) -> Quote | None:
        row = (await self._session.execute(select(quotes).where(quotes.c.id == quote_id))).mappings()
        found = row.one_or_none()
        return quote_of(found) if found is not None else None

    async def forget(self, *, before: datetime) -> None:
        await self._session.execute(delete(quotes).where(quotes.c.expires_at < before))


class SqlRatings:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, rating: Rating) -> None:
        values = {
            "id": rating.id,
            "ride_id": rating.ride_id,
            "rater_id": rating.rater_id,
            "rated_id": rating.rated_id,
            "rated_by": rating.rated_by,
            "stars": rating.stars,
            "tags": list(rating.tags),
            "comment": rating.comment,
            "created_at": rating.created_at,
        }
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(ride_ratings).values(values))
        except IntegrityError as error:
            if "uq_ride_ratings_side" in str(error.orig):
                raise AlreadyRated from error
            raise


class SqlLocations:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, points: Sequence[DriverLocationUpdated]) -> int:
        # One batch may hold a point twice, which ON CONFLICT alone would not forgive in DO UPDATE;
        # DO NOTHING takes the first.
        columns = zip(*[_row(point) for point in points], strict=True)
        written = await (await driver_of(self._session)).fetch(_ADD_POINTS, *map(list, columns))
        return len(written)

    async def path(self, ride_id: UUID, *, start: datetime, end: datetime) -> Sequence[Place]:
        query = (
            select(location_updates.c.lat, location_updates.c.lon)
            .where(
                location_updates.c.ride_id == ride_id,
                location_updates.c.recorded_at >= start,
                location_updates.c.recorded_at <= end,
            )
            .order_by(location_updates.c.recorded_at)
        )
        return [Place(lat=float(lat), lon=float(lon)) for lat, lon in await self._session.execute(query)]

    async def last_of_ride(self, ride_id: UUID) -> datetime | None:
        last = func.max(location_updates.c.recorded_at)
        found = await self._session.scalar(select(last).where(location_updates.c.ride_id == ride_id))
        return found if isinstance(found, datetime) else None

    async def keep_partitions(self, *, first: date, last: date, oldest: date) -> None:
        make = text("SELECT location_make_partitions(:first, :last)")
        await self._session.execute(make, {"first": first, "last": last})
        await self._session.execute(text("SELECT location_drop_partitions(:oldest)"), {"oldest": oldest})


def _row(point: DriverLocationUpdated) -> tuple[Any, ...]:
    """As `_ADD_POINTS` has them."""
    return (
        point.driver_id,
        point.recorded_at,
        point.ride_id,
        degrees_of(point.lat),
        degrees_of(point.lon),
        point.accuracy_m,
        point.heading_deg,
        point.speed_mps,
    )
