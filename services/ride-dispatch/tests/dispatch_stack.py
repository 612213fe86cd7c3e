"""The real service for integration tests: its app over ASGI, with people who register and drive."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

import web
from contracts.base import Fact
from contracts.identity import ApprovalStatus, Profile, UserStatus, UserType, Vehicle, VehicleCategory
from kernel.ids import new_id
from ride_dispatch import main
from ride_dispatch.domain.location import Point
from ride_dispatch.domain.place import Place
from ride_dispatch.effects.rebuild_index import rebuild_index
from ride_dispatch.ports import Deps, DriverPosition
from ride_dispatch.settings import Settings
from testkit import DatabaseUrls, Tokens, published

PAULISTA = (-23.5614, -46.6559)
IBIRAPUERA = (-23.5874, -46.6576)


def profile_of(user_id: UUID, user_type: UserType, **changes: Any) -> Profile:
    """An active user; a driver is approved, with a standard car."""
    is_driver = user_type is UserType.DRIVER
    category = changes.pop("category", VehicleCategory.STANDARD)
    vehicle = Vehicle(
        vehicle_id=new_id(), license_plate="ABC1D23", brand="Fiat", model="Argo", year=2024, category=category
    )
    values: dict[str, Any] = {
        "user_id": user_id,
        "version": 1,
        "user_type": user_type,
        "status": UserStatus.ACTIVE,
        "full_name": "Ana Souza",
        "approval_status": ApprovalStatus.APPROVED if is_driver else None,
        "vehicles": (vehicle,) if is_driver else (),
        "updated_at": datetime.now(UTC),
    }
    return Profile(**(values | changes))


@dataclass
class Person:
    """One user with a token, speaking to the app."""

    id: UUID
    headers: dict[str, str]
    client: httpx.AsyncClient

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(path, headers=self.headers, **options)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return await self.client.post(path, json=body, headers=headers)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self.client.put(path, json=body, headers=self.headers)

    async def accept(self, ride_id: str, *, key: str | None = None) -> httpx.Response:
        return await self.post(f"/rides/{ride_id}/accept", key=key or str(new_id()))

    async def go_online(self, place: tuple[float, float] = PAULISTA) -> None:
        lat, lon = place
        located = await self.post(f"/drivers/{self.id}/location", {"lat": lat, "lon": lon})
        assert located.status_code == 202, located.text
        online = await self.put(f"/drivers/{self.id}/availability", {"online": True})
        assert online.status_code == 200, online.text

    async def request_ride(self, **changes: Any) -> dict[str, Any]:
        answer = await self.post("/rides", trip(**changes), key=str(new_id()))
        assert answer.status_code == 201, answer.text
        ride: dict[str, Any] = answer.json()
        return ride

    async def ride(self, ride_id: str) -> dict[str, Any]:
        answer = await self.get(f"/rides/{ride_id}")
        assert answer.status_code == 200, answer.text
        ride: dict[str, Any] = answer.json()
        return ride

    async def offers(self) -> list[dict[str, Any]]:
        answer = await self.get(f"/drivers/{self.id}/offers")
        assert answer.status_code == 200, answer.text
        offers: list[dict[str, Any]] = answer.json()["data"]
        return offers


def trip(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "pickup_lat": PAULISTA[0],
        "pickup_lon": PAULISTA[1],
        "dropoff_lat": IBIRAPUERA[0],
        "dropoff_lon": IBIRAPUERA[1],
        "category": "standard",
    }
    return body | changes


@dataclass
class Stack:
    """The running app and its database."""

    app: FastAPI
    urls: DatabaseUrls
    client: httpx.AsyncClient
    tokens: Tokens
    settings: Settings
    people: list[Person] = field(default_factory=list)

    @property
    def deps(self) -> Deps:
        deps: Deps = self.app.state.deps
        return deps

    def stranger(self, user_type: str) -> Person:
        """Someone whose profile has not arrived."""
        user_id = new_id()
        person = Person(user_id, self.tokens.headers(user_id, user_type), self.client)
        self.people.append(person)
        return person

    async def learn(self, profile: Profile) -> None:
        """The profile arrives, as the consumer would bring it."""
        async with self.deps.transaction() as tx:
            await tx.profiles.put(profile)

    async def passenger(self, **changes: Any) -> Person:
        person = self.stranger("passenger")
        await self.learn(profile_of(person.id, UserType.PASSENGER, **changes))
        return person

    async def driver(self, **changes: Any) -> Person:
        person = self.stranger("driver")
        await self.learn(profile_of(person.id, UserType.DRIVER, **changes))
        return person

    async def driver_online(self, place: tuple[float, float] = PAULISTA, **changes: Any) -> Person:
        driver = await self.driver(**changes)
        await driver.go_online(place)
        return driver

    async def fleet(self, count: int, place: tuple[float, float] = PAULISTA) -> list[Person]:
        """Many approved drivers on duty at one place, written in one go."""
        now = self.deps.now()
        drivers = [self.stranger("driver") for _ in range(count)]
        point = Point(place=Place(lat=place[0], lon=place[1]), recorded_at=now)
        async with self.deps.transaction() as tx:
            for driver in drivers:
                await tx.profiles.put(profile_of(driver.id, UserType.DRIVER))
            await tx.drivers.store_positions(
                [DriverPosition(driver_id=driver.id, point=point) for driver in drivers], now=now
            )
            for driver in drivers:
                await tx.drivers.set_online(driver.id, online=True, now=now)
        await rebuild_index(self.deps)
        return drivers

    async def facts(self, of: type[Fact]) -> list[Any]:
        """What waits in the outbox; only where no relay runs."""
        return [fact for fact, _, _ in await published(self.urls, of=of)]

    async def sql(self, query: str, *args: Any) -> list[Any]:
        connection = await asyncpg.connect(self.urls.admin_url)
        try:
            return list(await connection.fetch(query, *args))
        finally:
            await connection.close()


OpenStack = Callable[..., Any]


@asynccontextmanager
async def running(
    *, urls: DatabaseUrls, tokens: Tokens, valkey_url: str | None, kafka: Any, mode: web.Mode, **changes: Any
) -> AsyncIterator[Stack]:
    """The app with its lifespan; `changes` are settings."""
    values = {
        "database_url": urls.app_url,
        "database_owner_url": urls.owner_url,
        "valkey_url": valkey_url,
        "kafka_bootstrap": kafka.kafka_bootstrap,
        "kafka_topic_prefix": kafka.kafka_topic_prefix,
        "drain_s": 0,
        "dispatch_poll_s": 0.05,
    }
    settings = Settings(**(values | changes))
    app = main.build(settings, mode=mode, verifier=tokens.verifier())
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://dispatch", timeout=60) as client:
            yield Stack(app=app, urls=urls, client=client, tokens=tokens, settings=settings)
