"""Hand-written stand-ins for the ports: a database in memory, an index, a lock, a beacon."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from contracts.base import Fact
from contracts.identity import ApprovalStatus, Profile, UserStatus, UserType, Vehicle, VehicleCategory
from contracts.ride_dispatch import CanceledBy, DriverLocationUpdated, RideStatus
from kernel.ids import new_id
from ride_dispatch.domain.driver import DriverState, may_drive, served_category
from ride_dispatch.domain.fare import Tariff
from ride_dispatch.domain.location import LocationPolicy, Point, Trail
from ride_dispatch.domain.matching import Candidate, Near
from ride_dispatch.domain.offer import DriverBusy, Offer, OfferResponse
from ride_dispatch.domain.place import Place, distance_m
from ride_dispatch.domain.quote import Quote
from ride_dispatch.domain.rating import AlreadyRated, Rating
from ride_dispatch.domain.ride import DRIVEN, OPEN, SEARCHED, ActiveRideExists, Ride
from ride_dispatch.domain.search import Search, SearchPolicy
from ride_dispatch.ports import Cursor, Deps, DriverPosition, Duty, Indexed, OpenOffer

F = TypeVar("F", bound=Fact)

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
PICKUP = Place(lat=-23.5614, lon=-46.6559)
DROPOFF = Place(lat=-23.5874, lon=-46.6576)
TARIFF = Tariff(
    base=Decimal("3.50"),
    per_km=Decimal("1.60"),
    per_minute=Decimal("0.28"),
    minimum=Decimal("7.50"),
    commission_bps=2000,
)
FREE = replace(TARIFF, base=Decimal(0), per_km=Decimal(0), per_minute=Decimal(0), minimum=Decimal(0))
TARIFFS = dict.fromkeys(VehicleCategory, TARIFF)
POLICY = SearchPolicy()


def a_profile(user_id: UUID, user_type: UserType = UserType.DRIVER, **changes: Any) -> Profile:
    """An active user; a driver is approved, with a standard car."""
    is_driver = user_type is UserType.DRIVER
    vehicle = Vehicle(
        vehicle_id=new_id(),
        license_plate="ABC1D23",
        brand="Fiat",
        model="Argo",
        year=2024,
        category=VehicleCategory.STANDARD,
    )
    values: dict[str, Any] = {
        "user_id": user_id,
        "version": 1,
        "user_type": user_type,
        "status": UserStatus.ACTIVE,
        "full_name": "Ana Souza",
        "approval_status": ApprovalStatus.APPROVED if is_driver else None,
        "vehicles": (vehicle,) if is_driver else (),
        "updated_at": NOW,
    }
    return Profile(**(values | changes))


def a_ride(status: RideStatus = RideStatus.SEARCHING, **changes: Any) -> Ride:
    """A ride in `status`, with what a ride in it has."""
    values: dict[str, Any] = {
        "id": new_id(),
        "passenger_id": new_id(),
        "category": VehicleCategory.STANDARD,
        "pickup": PICKUP,
        "dropoff": DROPOFF,
        "estimated_fare": Decimal("12.00"),
        "tariff": TARIFF,
        "search": Search.begin(POLICY, now=NOW),
        "created_at": NOW,
        "status": status,
        "version": 3,
    }
    if status in DRIVEN or status in PAYABLE:
        values["driver_id"] = new_id()
    if status is RideStatus.IN_PROGRESS or status in PAYABLE:
        values["started_at"] = NOW
    if status in PAYABLE:
        values["final_fare"] = Decimal("12.00")
    return Ride(**(values | changes))


PAYABLE = frozenset({RideStatus.COMPLETED, RideStatus.PAYMENT_PENDING, RideStatus.PAID, RideStatus.REFUNDED})


def an_offer(ride: Ride, driver_id: UUID, **changes: Any) -> Offer:
    values: dict[str, Any] = {
        "id": new_id(),
        "ride_id": ride.id,
        "driver_id": driver_id,
        "try_no": ride.search.try_no,
        "wave": 1,
        "pickup_distance_m": 300,
        "offered_at": NOW,
        "expires_at": NOW + timedelta(seconds=15),
    }
    return Offer(**(values | changes))


class FakeRides:
    def __init__(self) -> None:
        self.rows: dict[UUID, Ride] = {}
        self.taken: set[UUID] = set()

    async def add(self, ride: Ride) -> None:
        if any(row.passenger_id == ride.passenger_id and row.status in OPEN for row in self.rows.values()):
            raise ActiveRideExists
        self.rows[ride.id] = ride

    async def get(self, ride_id: UUID) -> Ride | None:
        return self.rows.get(ride_id)

    async def lock(self, ride_id: UUID) -> Ride | None:
        return self.rows.get(ride_id)

    async def lock_if_free(self, ride_id: UUID) -> Ride | None:
        return None if ride_id in self.taken else self.rows.get(ride_id)

    async def save(self, ride: Ride) -> None:
        assert self.rows[ride.id].version == ride.version - 1, "saved over another version"
        others = (row for row in self.rows.values() if row.id != ride.id and row.status in DRIVEN)
        if ride.status in DRIVEN and any(row.driver_id == ride.driver_id for row in others):
            raise DriverBusy
        self.rows[ride.id] = ride

    async def save_search(self, ride_id: UUID, search: Search) -> None:
        self.rows[ride_id] = replace(self.rows[ride_id], search=search)

    async def due_for_wave(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        searched = [row for row in self.rows.values() if row.status in SEARCHED]
        return [row.id for row in searched if row.search.next_wave_at <= now < row.search.ends_at][:limit]

    async def due_for_end(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        searched = [row for row in self.rows.values() if row.status in SEARCHED]
        return [row.id for row in searched if row.search.ends_at <= now][:limit]

    async def active_of(self, user_id: UUID) -> Sequence[Ride]:
        return [row for row in self._of(user_id) if row.status in OPEN]

    async def history_of(self, user_id: UUID, *, after: Cursor | None, limit: int) -> Sequence[Ride]:
        rows = [row for row in self._of(user_id) if row.status not in OPEN]
        return [row for row in rows if after is None or (row.created_at, row.id) < after][:limit]

    async def count_by_status(self) -> Mapping[RideStatus, int]:
        return {status: sum(row.status is status for row in self.rows.values()) for status in OPEN}

    def _of(self, user_id: UUID) -> list[Ride]:
        mine = [row for row in self.rows.values() if user_id in (row.passenger_id, row.driver_id)]
        return sorted(mine, key=lambda row: (row.created_at, row.id), reverse=True)


class FakeOffers:
    def __init__(self, rides: FakeRides, drivers: "FakeDrivers") -> None:
        self.rows: dict[tuple[UUID, UUID], Offer] = {}
        self._rides = rides
        self._drivers = drivers

    def put(self, *offers: Offer) -> None:
        for offer in offers:
            self.rows[offer.ride_id, offer.driver_id] = offer

    async def of_ride(self, ride_id: UUID) -> Sequence[Offer]:
        return [offer for offer in self.rows.values() if offer.ride_id == ride_id]

    async def get(self, *, ride_id: UUID, driver_id: UUID) -> Offer | None:
        return self.rows.get((ride_id, driver_id))

    async def open(self, offers: Sequence[Offer]) -> None:
        self.put(*offers)

    async def close(
        self,
        *,
        ride_id: UUID,
        response: OfferResponse,
        now: datetime,
        only: Collection[UUID] | None = None,
        due_only: bool = False,
    ) -> Sequence[UUID]:
        closed = [
            offer
            for offer in await self.of_ride(ride_id)
            if offer.response is None
            and (only is None or offer.driver_id in only)
            and (not due_only or self._due(offer, now=now))
        ]
        self.put(*(offer.answer(response, now=now) for offer in closed))
        return sorted(offer.driver_id for offer in closed)

    async def exclude(self, *, ride_id: UUID, driver_id: UUID) -> None:
        offer = self.rows.get((ride_id, driver_id))
        if offer is not None:
            self.put(replace(offer, excluded=True))

    async def rides_with_due(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        due = {o.ride_id for o in self.rows.values() if o.response is None and self._due(o, now=now)}
        return sorted(due)[:limit]

    async def rides_open_for(self, driver_id: UUID) -> Sequence[UUID]:
        return sorted(
            o.ride_id for o in self.rows.values() if o.driver_id == driver_id and o.response is None
        )

    async def open_for(
        self, driver_id: UUID, *, now: datetime, after: Cursor | None, limit: int
    ) -> Sequence[OpenOffer]:
        mine = [o for o in self.rows.values() if o.driver_id == driver_id and o.is_open(now=now)]
        return [OpenOffer(offer=offer, ride=self._rides.rows[offer.ride_id]) for offer in mine][:limit]

    def _due(self, offer: Offer, *, now: datetime) -> bool:
        state = self._drivers.rows.get(offer.driver_id)
        return offer.expires_at <= now or (state is not None and state.current_ride_id is not None)


@dataclass
class FakeAttempts:
    rows: list[tuple[UUID, UUID, str, str | None]] = field(default_factory=list)

    async def add(
        self, *, ride_id: UUID, driver_id: UUID, key: str, failure_reason: str | None, now: datetime
    ) -> None:
        self.rows.append((ride_id, driver_id, key, failure_reason))


class FakeDrivers:
    def __init__(self, profiles: "FakeProfiles", rides: FakeRides) -> None:
        self.rows: dict[UUID, DriverState] = {}
        self.offers: FakeOffers | None = None
        self._profiles = profiles
        self._rides = rides

    def put(self, driver_id: UUID, **changes: Any) -> None:
        values: dict[str, Any] = {"online": True, "place": PICKUP, "located_at": NOW}
        self.rows[driver_id] = DriverState(driver_id=driver_id, **(values | changes))

    async def lock(self, driver_id: UUID) -> DriverState:
        return self.rows.setdefault(driver_id, DriverState(driver_id=driver_id))

    async def get(self, driver_id: UUID) -> DriverState | None:
        return self.rows.get(driver_id)

    async def set_online(self, driver_id: UUID, *, online: bool, now: datetime) -> None:
        self.rows[driver_id] = replace(self.rows[driver_id], online=online)

    async def begin_trip(self, driver_id: UUID, *, ride_id: UUID) -> None:
        self.rows[driver_id] = replace(self.rows[driver_id], current_ride_id=ride_id)

    async def end_trip(self, driver_id: UUID, *, ride_id: UUID) -> None:
        state = self.rows.get(driver_id)
        if state is not None and state.current_ride_id == ride_id:
            self.rows[driver_id] = replace(state, current_ride_id=None)

    async def lock_candidates(
        self, nearby: Sequence[Near], *, category: VehicleCategory
    ) -> Sequence[Candidate]:
        return [
            self._candidate(near, self.rows[near.driver_id], category=category)
            for near in nearby
            if near.driver_id in self.rows
        ]

    async def near(
        self, *, category: VehicleCategory, place: Place, radius_m: float, since: datetime
    ) -> Sequence[Indexed]:
        return [driver for driver in await self.indexable(since=since) if driver.category is category]

    async def indexable(self, *, since: datetime) -> Sequence[Indexed]:
        found = []
        for state in self.rows.values():
            profile = self._profiles.rows.get(state.driver_id)
            category = served_category(profile) if profile else None
            free = state.online and state.current_ride_id is None
            if category and free and state.place and state.located_at and state.located_at >= since:
                found.append(
                    Indexed(
                        driver_id=state.driver_id,
                        category=category,
                        place=state.place,
                        located_at=state.located_at,
                    )
                )
        return found

    async def duty(self, driver_id: UUID) -> Duty:
        state = self.rows.get(driver_id) or DriverState(driver_id=driver_id)
        profile = self._profiles.rows.get(driver_id)
        free = state.online and state.current_ride_id is None
        ride = self._rides.rows.get(state.current_ride_id) if state.current_ride_id else None
        at = state.located_at
        return Duty(
            located=Point(place=state.place, recorded_at=at) if state.place and at else None,
            category=served_category(profile) if profile and free else None,
            ride_id=ride.id if ride else None,
            passenger_id=ride.passenger_id if ride else None,
            accepted_at=ride.accepted_at if ride else None,
        )

    async def store_positions(self, positions: Sequence[DriverPosition], *, now: datetime) -> None:
        for position in positions:
            state = await self.lock(position.driver_id)
            point = position.point
            self.rows[position.driver_id] = replace(state, place=point.place, located_at=point.recorded_at)

    async def retire(self, *, silent_since: datetime, now: datetime, limit: int) -> Sequence[UUID]:
        silent = [s for s in self.rows.values() if s.online and s.located_at and s.located_at < silent_since]
        for state in silent[:limit]:
            self.rows[state.driver_id] = replace(state, online=False)
        return [state.driver_id for state in silent[:limit]]

    async def count(self) -> tuple[int, int]:
        online = [state for state in self.rows.values() if state.online]
        return len(online), sum(state.current_ride_id is None for state in online)

    def _candidate(self, near: Near, state: DriverState, *, category: VehicleCategory) -> Candidate:
        profile = self._profiles.rows.get(near.driver_id)
        assert self.offers is not None
        mine = [o for o in self.offers.rows.values() if o.driver_id == near.driver_id]
        return Candidate(
            driver_id=near.driver_id,
            distance_m=near.distance_m,
            online=state.online,
            busy=state.current_ride_id is not None,
            eligible=profile is not None and may_drive(profile),
            same_category=profile is not None and served_category(profile) is category,
            open_offers=sum(offer.response is None for offer in mine),
        )


@dataclass
class FakeProfiles:
    rows: dict[UUID, Profile] = field(default_factory=dict)

    async def get(self, user_id: UUID) -> Profile | None:
        return self.rows.get(user_id)

    async def put(self, profile: Profile) -> bool:
        known = self.rows.get(profile.user_id)
        if known is not None and known.version >= profile.version:
            return False
        self.rows[profile.user_id] = profile
        return True


@dataclass
class FakeQuotes:
    rows: dict[UUID, Quote] = field(default_factory=dict)

    async def add(self, quotes: Sequence[Quote], *, now: datetime) -> None:
        self.rows |= {quote.id: quote for quote in quotes}

    async def get(self, quote_id: UUID) -> Quote | None:
        return self.rows.get(quote_id)

    async def forget(self, *, before: datetime) -> None:
        self.rows = {id_: quote for id_, quote in self.rows.items() if quote.expires_at >= before}


@dataclass
class FakeRatings:
    rows: dict[tuple[UUID, CanceledBy], Rating] = field(default_factory=dict)

    async def add(self, rating: Rating) -> None:
        if (rating.ride_id, rating.rated_by) in self.rows:
            raise AlreadyRated
        self.rows[rating.ride_id, rating.rated_by] = rating


@dataclass
class FakeLocations:
    points: list[DriverLocationUpdated] = field(default_factory=list)
    partitions: tuple[date, date, date] | None = None

    async def add(self, points: Sequence[DriverLocationUpdated]) -> int:
        self.points += points
        return len(points)

    async def path(self, ride_id: UUID, *, start: datetime, end: datetime) -> Sequence[Place]:
        mine = [p for p in self.points if p.ride_id == ride_id and start <= p.recorded_at <= end]
        return [Place(lat=p.lat, lon=p.lon) for p in sorted(mine, key=lambda p: p.recorded_at)]

    async def last_of_ride(self, ride_id: UUID) -> datetime | None:
        return max((p.recorded_at for p in self.points if p.ride_id == ride_id), default=None)

    async def keep_partitions(self, *, first: date, last: date, oldest: date) -> None:
        self.partitions = (first, last, oldest)


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
        )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[FakeTx]:
        if self.broken:
            raise ConnectionError("the database is away")
        yield self.tx

    def _nudge(self) -> None:
        self.nudges += 1
