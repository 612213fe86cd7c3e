"""Hand-written stand-ins for the ports: a transaction in memory, an index, a lock, a beacon."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from dispatch_builders import NOW, POLICY, TARIFFS, a_profile
from dispatch_repositories import (
    FakeAttempts,
    FakeDrivers,
    FakeLocations,
    FakeOffers,
    FakeProfiles,
    FakeQuotes,
    FakeRatings,
    FakeRides,
)

from contracts.base import Fact
from contracts.identity import UserType, VehicleCategory
from kernel.ids import new_id
from ride_dispatch.domain.location import LocationPolicy, Point, Trail
from ride_dispatch.domain.matching import Near
from ride_dispatch.domain.place import Place, distance_m
from ride_dispatch.domain.ride import Ride
from ride_dispatch.ports import Deps, DriverPosition, Indexed

F = TypeVar("F", bound=Fact)


class FakeTx:
    """One endless transaction: what verbs write is there at once."""

    def __init__(self) -> None:
        self.rides = FakeRides()
        self.profiles = FakeProfiles()
        self.drivers = FakeDrivers(self.profiles, self.rides)
        self.offers = FakeOffers(self.rides, self.drivers)
        self.drivers.offers = self.offers
        self.attempts = FakeAttempts()
        self.quotes = FakeQuotes()
        self.ratings = FakeRatings()
        self.locations = FakeLocations()
        self.published: list[tuple[Fact, int]] = []
        self.forgotten_before: datetime | None = None

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID:
        self.published.append((fact, version))
        return new_id()

    def after_commit(self, work: Callable[[], Awaitable[None]]) -> None:
        raise AssertionError("verbs leave what follows a commit to their doors")

    async def forget_requests(self, *, before: datetime) -> None:
        self.forgotten_before = before

    def facts(self, of: type[F]) -> list[F]:
        return [fact for fact, _ in self.published if isinstance(fact, of)]

    def put_ride(self, ride: Ride) -> Ride:
        self.rides.rows[ride.id] = ride
        return ride

    def put_driver(self, **changes: Any) -> UUID:
        """A driver on duty at the pickup, with an approved profile."""
        driver_id = new_id()
        self.profiles.rows[driver_id] = a_profile(driver_id)
        self.drivers.put(driver_id, **changes)
        return driver_id

    def put_passenger(self) -> UUID:
        passenger_id = new_id()
        self.profiles.rows[passenger_id] = a_profile(passenger_id, UserType.PASSENGER)
        return passenger_id


class FakeIndex:
    """Knows positions; `away` is a Valkey that does not answer, `filled` False one that was flushed."""

    def __init__(self) -> None:
        self.away = False
        self.filled = True
        self.found: dict[UUID, tuple[VehicleCategory, Point]] = {}

    async def place(self, driver_id: UUID, *, point: Point, category: VehicleCategory | None) -> None:
        await self.refresh(driver_id, category=category, fallback=point)

    async def refresh(
        self, driver_id: UUID, *, category: VehicleCategory | None, fallback: Point | None
    ) -> None:
        if category is not None and fallback is not None:
            self.found[driver_id] = (category, fallback)
        else:
            self.found.pop(driver_id, None)

    async def awake(self) -> bool:
        return not self.away

    async def near(
        self, *, category: VehicleCategory, place: Place, radius_m: float, limit: int, now: datetime
    ) -> Sequence[Near] | None:
        if self.away or not self.filled:
            return None
        nearby = [
            Near(driver_id=driver_id, distance_m=round(distance_m(place, point.place)))
            for driver_id, (served, point) in self.found.items()
            if served is category
        ]
        within = [near for near in nearby if near.distance_m <= radius_m]
        return sorted(within, key=lambda near: near.distance_m)[:limit]

    async def fill(self, drivers: Sequence[Indexed], *, now: datetime) -> bool:
        if self.away:
            return False
        for driver in drivers:
            point = Point(place=driver.place, recorded_at=driver.located_at)
            self.found[driver.driver_id] = (driver.category, point)
        self.filled = True
        return True


class FakeLock:
    @asynccontextmanager
    async def hold(self, ride_id: UUID) -> AsyncIterator[bool]:
        yield True


@dataclass
class FakeBeacon:
    sent: list[Fact] = field(default_factory=list)

    def send(self, fact: Fact) -> None:
        self.sent.append(fact)


class FakeTrails:
    def __init__(self) -> None:
        self.trails: dict[UUID, Trail] = {}
        self.waiting: list[DriverPosition] = []

    def trail_of(self, driver_id: UUID) -> Trail | None:
        return self.trails.get(driver_id)

    def keep(self, driver_id: UUID, *, trail: Trail) -> None:
        self.trails[driver_id] = trail
        if trail.anchor is not None:
            self.waiting.append(DriverPosition(driver_id=driver_id, point=trail.anchor))

    def take(self) -> Sequence[DriverPosition]:
        taken, self.waiting = self.waiting, []
        return taken

    def give_back(self, positions: Sequence[DriverPosition]) -> None:
        self.waiting = [*positions, *self.waiting]


class StandingClock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


@dataclass
class World:
    """The fakes and the `Deps` that hold them."""

    tx: FakeTx = field(default_factory=FakeTx)
    index: FakeIndex = field(default_factory=FakeIndex)
    beacon: FakeBeacon = field(default_factory=FakeBeacon)
    trails: FakeTrails = field(default_factory=FakeTrails)
    clock: StandingClock = field(default_factory=StandingClock)
    nudges: int = 0
    broken: bool = False

    @property
    def deps(self) -> Deps:
        return Deps(
            transaction=self._transaction,
            reading=self._transaction,
            clock=self.clock,
            index=self.index,
            accept_lock=FakeLock(),
            beacon=self.beacon,
            trails=self.trails,
            nudge=self._nudge,
            search=POLICY,
            tariffs=TARIFFS,
            points=LocationPolicy(),
            quote_ttl_s=300,
            unpaid_ride_blocks=True,
        )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[FakeTx]:
        if self.broken:
            raise ConnectionError("the database is away")
        yield self.tx

    def _nudge(self) -> None:
        self.nudges += 1
