"""Hand-written repositories in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from dispatch_builders import NOW, PICKUP

from contracts.identity import Profile, VehicleCategory
from contracts.ride_dispatch import CanceledBy, DriverLocationUpdated, RideStatus
from ride_dispatch.domain.driver import DriverState, may_drive, served_category
from ride_dispatch.domain.location import Point
from ride_dispatch.domain.matching import Candidate, Near
from ride_dispatch.domain.offer import DriverBusy, Offer, OfferResponse
from ride_dispatch.domain.place import Place
from ride_dispatch.domain.quote import Quote
from ride_dispatch.domain.rating import AlreadyRated, Rating
from ride_dispatch.domain.ride import DRIVEN, OPEN, SEARCHED, UNPAID, ActiveRideExists, Ride
from ride_dispatch.domain.search import Search
from ride_dispatch.ports import Cursor, DriverPosition, Duty, Indexed, OpenOffer


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

    async def owes(self, passenger_id: UUID) -> bool:
        return any(row.status in UNPAID and bool(row.final_fare) for row in self._of(passenger_id))

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
