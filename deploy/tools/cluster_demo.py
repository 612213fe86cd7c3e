"""Tilt's buttons: `cluster_demo.py seed | ride`, through the gateway of a running cluster, with the simulated bank."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from simulator.actors import Admin, Driver, Passenger, make_driver, make_passenger, register_all
from simulator.api import Api
from simulator.bank import Bank
from simulator.people import People
from simulator.sockets import Frame

PEOPLE = 5


async def seed(api: Api, admin: Admin, _bank: Bank) -> None:
    """Passengers, and drivers whom the admin approved."""
    people = _people()
    passengers = [make_passenger(api, people) for _ in range(PEOPLE)]
    drivers = [make_driver(api, people) for _ in range(PEOPLE)]
    await register_all([*passengers, *drivers])
    for driver in drivers:
        await admin.approve(driver)
    print(f"{PEOPLE} passengers and {PEOPLE} approved drivers; the password of each is in simulator.people")
    for person in (*passengers, *drivers):
        print(f"  {person.registration['user_type']:<10} {person.registration['email']}")


async def ride(api: Api, admin: Admin, bank: Bank) -> None:
    """One ride, from the request to the payment."""
    people = _people()
    passenger, driver = make_passenger(api, people), make_driver(api, people)
    await register_all([passenger, driver])
    await admin.approve(driver)
    await driver.log_in()
    await passenger.connect()
    await driver.connect()
    try:
        await _drive(passenger, driver, people, bank)
    finally:
        await driver.go_home()
        await driver.disconnect()
        await passenger.disconnect()


async def _drive(passenger: Passenger, driver: Driver, people: People, bank: Bank) -> None:
    async def accept(frame: Frame) -> None:
        if (await driver.accept(frame["data"]["ride_id"])).status == 200:
            await driver.drive(frame["data"]["ride_id"])

    driver.on_offer(accept)
    await driver.go_online()
    requested = await passenger.request_ride(people.trip())
    ride_id = requested["id"]
    print(f"ride {ride_id} requested")
    await passenger.socket.wait("ride.accepted", timeout_s=60, ride_id=ride_id)
    charge = await passenger.charge_of(ride_id, timeout_s=60)
    print("driven; the charge is there")
    await bank.pay(charge["data"]["txid"])
    await passenger.socket.wait("ride.paid", timeout_s=60, ride_id=ride_id)
    print("paid")


def _people() -> People:
    return People(seed=time.time_ns(), run="cluster")


@asynccontextmanager
async def _doors(options: argparse.Namespace) -> AsyncIterator[tuple[Api, Admin, Bank]]:
    api, bank = Api(options.gateway), Bank(options.bank)
    try:
        admin = Admin(api, login=options.login, password=options.password_file.read_text().strip())
        await admin.log_in()
        yield api, admin, bank
    finally:
        await bank.close()
        await api.close()


async def _run(options: argparse.Namespace) -> None:
    async with _doors(options) as (api, admin, bank):
        await {"seed": seed, "ride": ride}[options.what](api, admin, bank)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("seed", "ride"))
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--bank", required=True)
    parser.add_argument("--login", default="admin@example.com")
    parser.add_argument("--password-file", required=True, type=Path)
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
