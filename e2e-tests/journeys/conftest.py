"""One running stack for all journeys, and fresh people for each."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from devstack import stack as stacks
from journeys.collector import Collector
from simulator.actors import Admin, Driver, Passenger, Person, make_driver, make_passenger
from simulator.api import Api
from simulator.bank import Bank
from simulator.people import People
from simulator.stack import Stack

SETTINGS = {
    "JANITOR_S": "2",
    "SEARCH_TTL_S": "6",
    "OFFER_TTL_S": "8",
    "WAVE_SIZE": "8",
    "LIMITS": "relaxed",
    "PAYMENT_LEASE_S": "15",
    "RECHECK_EVERY_S": "1",
    "RECHECK_GRACE_S": "4",
}
FAR_APART_DEG = 0.5


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All journeys share one stack, so one worker runs them all."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("journeys"))


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Every span of every service, from the stack's first to its last."""
    collecting = Collector()
    yield collecting
    collecting.close()


@pytest.fixture(scope="session")
def stack_folder(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Path]:
    """The folder of a stack that lives as long as the session."""
    folder = tmp_path_factory.mktemp("stack")
    settings = SETTINGS | {"OTLP_ENDPOINT": collector.url, "OTLP_DELAY_MS": "300"}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    said: list[str] = []
    try:
        assert stacks.up(folder, say=said.append, owner_pid=os.getpid()), "\n".join(said)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    yield folder
    stacks.down(folder)


@pytest.fixture(scope="session")
def stack(stack_folder: Path) -> Stack:
    return Stack.load(stack_folder / "stack.json")


class World:
    """People, the admin and the bank of one test, in a neighbourhood of its own: tests share no drivers."""

    def __init__(self, stack: Stack, *, name: str) -> None:
        self.stack = stack
        self.api = Api(stack.gateway)
        self.bank = Bank(stack.efi["control"])
        self.people = People(7, run=name)
        shift = FAR_APART_DEG * (sum(map(ord, name)) % 40 - 20)
        self.center = (-12.0 + shift, -50.0 + shift)
        self.admin = Admin(self.api, **stack.admin)
        self._drivers: list[Driver] = []
        self._passengers: list[Passenger] = []

    async def passenger(self) -> Passenger:
        passenger = make_passenger(self.api, self.people)
        await passenger.register()
        await passenger.log_in()
        await passenger.connect()
        self._passengers.append(passenger)
        return passenger

    async def driver(self, *, online: bool = True) -> Driver:
        """An approved driver."""
        driver = make_driver(self.api, self.people)
        driver.place = self.people.place(center=self.center, within_deg=0.004)
        await driver.register()
        await driver.log_in()
        if not self.admin.token:
            await self.admin.log_in()
        await self.admin.approve(driver)
        await driver.connect()
        if online:
            await driver.go_online()
        self._drivers.append(driver)
        return driver

    def trip(self) -> dict[str, object]:
        pickup = self.people.place(center=self.center, within_deg=0.004)
        dropoff = self.people.place(center=self.center, within_deg=0.03)
        return {
            "pickup_lat": pickup[0],
            "pickup_lon": pickup[1],
            "dropoff_lat": dropoff[0],
            "dropoff_lon": dropoff[1],
            "category": "standard",
        }

    async def driven(self, passenger: Passenger, driver: Driver) -> str:
        """A ride that is completed and not yet paid."""
        ride = await passenger.request_ride(self.trip())
        await driver.socket.wait("ride.offered", ride_id=ride["id"])
        (await driver.accept(ride["id"])).expect(200)
        await driver.drive(ride["id"])
        return str(ride["id"])

    async def paid(self, passenger: Passenger, driver: Driver) -> str:
        """A ride that is paid."""
        ride_id = await self.driven(passenger, driver)
        charge = await passenger.charge_of(ride_id)
        await self.bank.pay(charge["data"]["txid"])
        await passenger.socket.wait("ride.paid", ride_id=ride_id)
        return ride_id

    def people_met(self) -> list[Person]:
        return [*self._drivers, *self._passengers]

    async def close(self) -> None:
        for driver in self._drivers:
            await driver.go_home()
        for person in (*self._drivers, *self._passengers):
            await person.disconnect()
        await self.api.close()
        await self.bank.close()


@pytest.fixture(scope="session")
def everybody() -> list[Person]:
    """All who registered in this session."""
    return []


@pytest.fixture
async def world(
    stack: Stack, request: pytest.FixtureRequest, everybody: list[Person]
) -> AsyncIterator[World]:
    made = World(stack, name=request.node.name)
    yield made
    await made.close()
    everybody.extend(made.people_met())


Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """Wait for a condition, at most 20 s."""

    async def wait(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(20):
            while not await condition():
                await asyncio.sleep(0.1)

    return wait
