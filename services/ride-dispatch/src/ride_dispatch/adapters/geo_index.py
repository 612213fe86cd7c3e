"""Where free drivers are, in Valkey: one geo set a category, and each driver's last position with a lifetime.

The set only proposes; the position, which expires with its ping, decides (an old one never makes an offer).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from valkey.asyncio import Valkey

from contracts.identity import VehicleCategory
from ride_dispatch.adapters.valkey_link import ValkeyLink
from ride_dispatch.domain.location import Point
from ride_dispatch.domain.matching import Near
from ride_dispatch.domain.place import Place, distance_m
from ride_dispatch.ports import Indexed

# Valkey's geo sets end here (Web Mercator); searches beyond are Postgres' business.
MAX_LAT: Final = 85.05
CHUNK: Final = 500
FILLED: Final = "dispatch:geo:filled"


class ValkeyGeoIndex:
    def __init__(self, link: ValkeyLink, *, fresh_s: float) -> None:
        self._link = link
        self._fresh_s = fresh_s

    async def place(self, driver_id: UUID, *, point: Point, category: VehicleCategory | None) -> None:
        async def write(client: Valkey) -> bool:
            async with client.pipeline(transaction=False) as pipe:
                pipe.set(_position_key(driver_id), _packed(point), px=int(self._fresh_s * 1000))
                _move(pipe, driver_id, place=point.place, category=category)
                await pipe.execute()
            return True

        await self._link.ask(write)

    async def refresh(
        self, driver_id: UUID, *, category: VehicleCategory | None, fallback: Point | None
    ) -> None:
        async def write(client: Valkey) -> bool:
            packed = await client.get(_position_key(driver_id))
            point = _unpacked(packed) if packed else fallback
            async with client.pipeline(transaction=False) as pipe:
                if point is not None and not packed:
                    pipe.set(_position_key(driver_id), _packed(point), px=int(self._fresh_s * 1000), nx=True)
                _move(pipe, driver_id, place=point.place if point else None, category=category)
                await pipe.execute()
            return True

        await self._link.ask(write)

    async def awake(self) -> bool:
        async def ping(client: Valkey) -> bool:
            await client.exists(FILLED)
            return True

        return bool(await self._link.ask(ping))

    async def near(
        self, *, category: VehicleCategory, place: Place, radius_m: float, limit: int, now: datetime
    ) -> Sequence[Near] | None:
        if abs(place.lat) > MAX_LAT:
            return None

        async def search(client: Valkey) -> Sequence[Near] | None:
            async with client.pipeline(transaction=False) as pipe:
                pipe.get(FILLED)
                pipe.geosearch(
                    _set_key(category),
                    longitude=place.lon,
                    latitude=place.lat,
                    radius=radius_m,
                    unit="m",
                    sort="ASC",
                    count=limit,
                )
                filled, members = await pipe.execute()
            if not filled:
                return None
            return await self._checked(
                client, members, category=category, place=place, radius_m=radius_m, now=now
            )

        return await self._link.ask(search)

    async def fill(self, drivers: Sequence[Indexed], *, now: datetime) -> bool:
        async def write(client: Valkey) -> bool:
            remaining = iter(drivers)
            while chunk := list(islice(remaining, CHUNK)):
                async with client.pipeline(transaction=False) as pipe:
                    for driver in chunk:
                        self._add_missing(pipe, driver, now=now)
                    await pipe.execute()
            await client.set(FILLED, now.isoformat())
            return True

        return bool(await self._link.ask(write))

    def _add_missing(self, pipe: Any, driver: Indexed, *, now: datetime) -> None:
        left_ms = int((self._fresh_s - (now - driver.located_at).total_seconds()) * 1000)
        if left_ms <= 0 or abs(driver.place.lat) > MAX_LAT:
            return
        point = Point(place=driver.place, recorded_at=driver.located_at)
        pipe.set(_position_key(driver.driver_id), _packed(point), px=left_ms, nx=True)
        member = (driver.place.lon, driver.place.lat, str(driver.driver_id))
        pipe.geoadd(_set_key(driver.category), member, nx=True)

    async def _checked(
        self,
        client: Valkey,
        members: Sequence[str],
        *,
        category: VehicleCategory,
        place: Place,
        radius_m: float,
        now: datetime,
    ) -> Sequence[Near]:
        """By their true last positions; who has none any more is dropped from the set."""
        if not members:
            return ()
        packed = await client.mget([_position_key(UUID(member)) for member in members])
        found: list[Near] = []
        silent: list[str] = []
        for member, text in zip(members, packed, strict=True):
            point = _unpacked(text) if text else None
            if point is None or (now - point.recorded_at).total_seconds() > self._fresh_s:
                silent.append(member)
                continue
            away_m = round(distance_m(place, point.place))
            if away_m <= radius_m:
                found.append(Near(driver_id=UUID(member), distance_m=away_m))
        if silent:
            await client.zrem(_set_key(category), *silent)
        return sorted(found, key=lambda near: near.distance_m)


def _move(pipe: Any, driver_id: UUID, *, place: Place | None, category: VehicleCategory | None) -> None:
    """Into the one set where the driver belongs, out of all others."""
    findable = place is not None and abs(place.lat) <= MAX_LAT
    for each in VehicleCategory:
        if each is category and findable:
            assert place is not None
            pipe.geoadd(_set_key(each), (place.lon, place.lat, str(driver_id)))
        else:
            pipe.zrem(_set_key(each), str(driver_id))


def _set_key(category: VehicleCategory) -> str:
    return f"dispatch:geo:{category}"


def _position_key(driver_id: UUID) -> str:
    return f"dispatch:pos:{driver_id}"


def _packed(point: Point) -> str:
    return f"{point.place.lat:.8f},{point.place.lon:.8f},{point.recorded_at.timestamp():.6f}"


def _unpacked(text: str) -> Point:
    lat, lon, at = text.split(",")
    recorded_at = datetime.fromtimestamp(float(at), tz=UTC)
    return Point(place=Place(lat=float(lat), lon=float(lon)), recorded_at=recorded_at)
