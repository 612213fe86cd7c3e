"""What the verbs and effects need from the outside."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from contracts.base import Fact
from contracts.identity import Profile, VehicleCategory
from contracts.ride_dispatch import DriverLocationUpdated, RideStatus
from kernel.clock import Clock
from ride_dispatch.domain.driver import DriverState
from ride_dispatch.domain.fare import Tariff
from ride_dispatch.domain.location import LocationPolicy, Point, Trail
from ride_dispatch.domain.matching import Candidate, Near
from ride_dispatch.domain.offer import Offer, OfferResponse
from ride_dispatch.domain.place import Place
from ride_dispatch.domain.quote import Quote
from ride_dispatch.domain.rating import Rating
from ride_dispatch.domain.ride import Ride
from ride_dispatch.domain.search import Search, SearchPolicy

Cursor = tuple[datetime, UUID]
"""Where a page ended: the creation time and id of its last row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOffer:
    """An open offer with the ride that it is for."""

    offer: Offer
    ride: Ride


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverPosition:
    """One driver's last believed point."""

    driver_id: UUID
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """A free, online driver with a fresh position: what the geo index holds."""

    driver_id: UUID
    category: VehicleCategory
    place: Place
    located_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What a point of this driver means right now: where they were, what they serve, whose ride it is.

    `category` is None when they are not to be found by searches.
    """

    located: Point | None
    category: VehicleCategory | None
    ride_id: UUID | None
    passenger_id: UUID | None
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """The figures behind the gauges."""

    rides_by_status: Mapping[RideStatus, int]
    drivers_online: int
    drivers_available: int


class Rides(Protocol):
    async def add(self, ride: Ride) -> None:
        """Insert; raises ActiveRideExists when the passenger has an open ride."""

    async def get(self, ride_id: UUID) -> Ride | None: ...

    async def lock(self, ride_id: UUID) -> Ride | None:
        """The ride, its row locked until the end of the transaction."""

    async def lock_if_free(self, ride_id: UUID) -> Ride | None:
        """As `lock`, but None when another transaction holds the row."""

    async def save(self, ride: Ride) -> None:
        """Compare and set: writes `ride` over the version before it. Raises DriverBusy when its driver
        has another active ride."""

    async def save_search(self, ride_id: UUID, search: Search) -> None:
        """Write only where the search stands, of a locked ride."""

    async def due_for_wave(self, *, now: datetime, limit: int) -> Sequence[UUID]: ...

    async def due_for_end(self, *, now: datetime, limit: int) -> Sequence[UUID]: ...

    async def owes(self, passenger_id: UUID) -> bool:
        """Whether a driven ride of the passenger's is not paid."""

    async def active_of(self, user_id: UUID) -> Sequence[Ride]:
        """Open rides of a passenger or driver, newest first."""

    async def history_of(self, user_id: UUID, *, after: Cursor | None, limit: int) -> Sequence[Ride]:
        """Rides that are over, newest first; up to `limit` rows."""

    async def count_by_status(self) -> Mapping[RideStatus, int]:
        """How many open rides there are in each state."""


class Offers(Protocol):
    async def of_ride(self, ride_id: UUID) -> Sequence[Offer]: ...

    async def get(self, *, ride_id: UUID, driver_id: UUID) -> Offer | None: ...

    async def open(self, offers: Sequence[Offer]) -> None:
        """Insert, or open again the row of the same ride and driver; each is written to the history."""

    async def close(
        self,
        *,
        ride_id: UUID,
        response: OfferResponse,
        now: datetime,
        only: Collection[UUID] | None = None,
        due_only: bool = False,
    ) -> Sequence[UUID]:
        """End open offers of a locked ride: of all drivers or `only` these, or those that are due (expired,
        or of a driver who is on another ride). Returns the drivers; each end goes to the history."""

    async def exclude(self, *, ride_id: UUID, driver_id: UUID) -> None:
        """This driver is never offered this ride again."""

    async def rides_with_due(self, *, now: datetime, limit: int) -> Sequence[UUID]: ...

    async def rides_open_for(self, driver_id: UUID) -> Sequence[UUID]:
        """Rides that this driver has an open offer of, in id order."""

    async def open_for(
        self, driver_id: UUID, *, now: datetime, after: Cursor | None, limit: int
    ) -> Sequence[OpenOffer]:
        """Open offers of a driver, newest first; up to `limit` rows."""


class Attempts(Protocol):
    async def add(
        self, *, ride_id: UUID, driver_id: UUID, key: str, failure_reason: str | None, now: datetime
    ) -> None:
        """Record an accept attempt: SUCCESS, or FAILED with its reason. A key that is there already stays."""


class Drivers(Protocol):
    async def lock(self, driver_id: UUID) -> DriverState:
        """The driver's row, made when missing, locked until the end of the transaction."""

    async def get(self, driver_id: UUID) -> DriverState | None: ...

    async def set_online(self, driver_id: UUID, *, online: bool, now: datetime) -> None: ...

    async def begin_trip(self, driver_id: UUID, *, ride_id: UUID) -> None: ...

    async def end_trip(self, driver_id: UUID, *, ride_id: UUID) -> None:
        """Free the driver, unless they are on another ride by now."""

    async def lock_candidates(
        self, nearby: Sequence[Near], *, category: VehicleCategory
    ) -> Sequence[Candidate]:
        """What is known of these drivers, their rows locked in id order so that two waves never cross."""

    async def near(
        self, *, category: VehicleCategory, place: Place, radius_m: float, since: datetime
    ) -> Sequence[Indexed]:
        """Free drivers within the circle's bounding box, located after `since`: the index's stand-in."""

    async def indexable(self, *, since: datetime) -> Sequence[Indexed]:
        """Every free driver with a category, located after `since`."""

    async def duty(self, driver_id: UUID) -> Duty: ...

    async def store_positions(self, positions: Sequence[DriverPosition], *, now: datetime) -> None:
        """Write the last positions in one statement; an older one never replaces a newer one."""

    async def retire(self, *, silent_since: datetime, now: datetime, limit: int) -> Sequence[UUID]:
        """Take offline drivers without a trip who have not been heard of; returns them."""

    async def count(self) -> tuple[int, int]:
        """How many are online, and how many of those are free."""


class Profiles(Protocol):
    async def get(self, user_id: UUID) -> Profile | None: ...

    async def put(self, profile: Profile) -> bool:
        """Keep it unless a newer version is known; False when it was old."""


class Quotes(Protocol):
    async def add(self, quotes: Sequence[Quote], *, now: datetime) -> None: ...

    async def get(self, quote_id: UUID) -> Quote | None: ...

    async def forget(self, *, before: datetime) -> None:
        """Delete the quotes that expired before a time."""


class Ratings(Protocol):
    async def add(self, rating: Rating) -> None:
        """Insert; raises AlreadyRated when this side has rated the ride."""


class Locations(Protocol):
    async def add(self, points: Sequence[DriverLocationUpdated]) -> int:
        """Write history; what is there already is left. Returns how many were new."""

    async def path(self, ride_id: UUID, *, start: datetime, end: datetime) -> Sequence[Place]:
        """The recorded points of a ride, in order."""

    async def last_of_ride(self, ride_id: UUID) -> datetime | None: ...

    async def keep_partitions(self, *, first: date, last: date, oldest: date) -> None:
        """Make the days `first` to `last`; drop those before `oldest`."""


class Tx(Protocol):
    """One transaction with its repositories."""

    @property
    def rides(self) -> Rides: ...
    @property
    def offers(self) -> Offers: ...
    @property
    def attempts(self) -> Attempts: ...
    @property
    def drivers(self) -> Drivers: ...
    @property
    def profiles(self) -> Profiles: ...
    @property
    def quotes(self) -> Quotes: ...
    @property
    def ratings(self) -> Ratings: ...
    @property
    def locations(self) -> Locations: ...

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID: ...
    def after_commit(self, work: Callable[[], Awaitable[None]]) -> None: ...
    async def forget_requests(self, *, before: datetime) -> None:
        """Delete idempotency records from before a time."""


class GeoIndex(Protocol):
    """Where free drivers are, in Valkey. It only speeds up: every call copes with its absence."""

    async def place(self, driver_id: UUID, *, point: Point, category: VehicleCategory | None) -> None:
        """Remember the last position; findable in `category`, or not at all when it is None."""

    async def refresh(
        self, driver_id: UUID, *, category: VehicleCategory | None, fallback: Point | None
    ) -> None:
        """A driver became free (findable again, where they were last) or is not to be found any more.

        `fallback` is Postgres' last position, used when the index remembers none.
        """

    async def near(
        self, *, category: VehicleCategory, place: Place, radius_m: float, limit: int, now: datetime
    ) -> Sequence[Near] | None:
        """Drivers by their true last positions, nearest first. None when the index is away or empty of
        knowledge (flushed): rebuild it, or ask Postgres."""

    async def awake(self) -> bool:
        """Whether it answers at all: worth filling."""

    async def fill(self, drivers: Sequence[Indexed], *, now: datetime) -> bool:
        """Add what it does not know of `drivers`; False when the index is away. Who left is dropped when a
        search finds them."""


class AcceptLock(Protocol):
    def hold(self, ride_id: UUID) -> AbstractAsyncContextManager[bool]:
        """Wait a little for the ride's lock, then go on with or without it; True when it is held.

        It only sheds the stampede. Postgres decides who wins.
        """


class Beacon(Protocol):
    """Sends locations on their lossy way."""

    def send(self, fact: Fact) -> None: ...


class Trails(Protocol):
    """What this process knows of the drivers it hears: their trails, and positions not yet written."""

    def trail_of(self, driver_id: UUID) -> Trail | None: ...

    def keep(self, driver_id: UUID, *, trail: Trail) -> None:
        """Remember the trail; a new anchor is written with the next flush."""

    def take(self) -> Sequence[DriverPosition]:
        """The positions to write, which are then no longer waiting."""

    def give_back(self, positions: Sequence[DriverPosition]) -> None:
        """They could not be written; newer ones of the same drivers stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What the doors and effects work with; main fills it in.

    `transaction` opens ride-dispatch's transaction, which the verbs see as `Tx`; `nudge` wakes this
    process's dispatcher.
    """

    transaction: Callable[[], AbstractAsyncContextManager[Any]]
    reading: Callable[[], AbstractAsyncContextManager[Any]]
    clock: Clock
    index: GeoIndex
    accept_lock: AcceptLock
    beacon: Beacon
    trails: Trails
    nudge: Callable[[], None]
    search: SearchPolicy
    tariffs: Mapping[VehicleCategory, Tariff]
    points: LocationPolicy
    quote_ttl_s: float
    unpaid_ride_blocks: bool

    def now(self) -> datetime:
        return self.clock.now()
