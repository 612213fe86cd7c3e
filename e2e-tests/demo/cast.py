"""Who takes part: passengers, drivers, the admin and the bank."""

import asyncio
from dataclasses import dataclass

from simulator.actors import Admin, Driver, Passenger, Person, make_driver, make_passenger, register_all
from simulator.api import Api
from simulator.bank import Bank
from simulator.people import People
from simulator.stack import Stack

PASSENGERS = 20
DRIVERS = 10


@dataclass
class Cast:
    api: Api
    bank: Bank
    people: People
    admin: Admin
    passengers: list[Passenger]
    drivers: list[Driver]

    @property
    def everybody(self) -> list[Person]:
        return [*self.passengers, *self.drivers]

    async def dismiss(self) -> None:
        """Close every connection; what a driver's task failed with is raised."""
        failures = await asyncio.gather(
            *(driver.go_home() for driver in self.drivers), return_exceptions=True
        )
        await asyncio.gather(*(person.disconnect() for person in self.everybody))
        await self.api.close()
        await self.bank.close()
        for failure in failures:
            if isinstance(failure, BaseException):
                raise failure


def assemble(stack: Stack, *, seed: int) -> Cast:
    """People from the seed; nobody is registered yet."""
    api, people = Api(stack.gateway), People(seed)
    return Cast(
        api=api,
        bank=Bank(stack.efi["control"]),
        people=people,
        admin=Admin(api, **stack.admin),
        passengers=[make_passenger(api, people) for _ in range(PASSENGERS)],
        drivers=[make_driver(api, people) for _ in range(DRIVERS)],
    )


async def enrol(cast: Cast) -> None:
    """Register and log in everybody."""
    await cast.admin.log_in()
    await register_all(cast.everybody)


async def approve_drivers(cast: Cast) -> int:
    """The admin approves whoever waits; how many that were."""
    waiting = set(await cast.admin.pending())
    drivers = [driver for driver in cast.drivers if driver.id in waiting]
    await asyncio.gather(*(cast.admin.approve(driver) for driver in drivers))
    return len(drivers)


async def open_apps(cast: Cast) -> None:
    """Everybody's app connects; drivers go online."""
    await asyncio.gather(*(person.connect() for person in cast.everybody))
    await asyncio.gather(*(driver.go_online() for driver in cast.drivers))
