"""The whole system under rides: how many a day it would carry, how long calls take, how soon a Pix is confirmed."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Any

from load.figure import Figure, percentile
from proof.evidence import query
from simulator.actors import Admin, Driver, Passenger, Person, make_driver, make_passenger, register_all
from simulator.api import Answer, Api
from simulator.bank import Bank
from simulator.people import People
from simulator.sockets import Frame
from simulator.stack import Stack

PASSENGERS = 30
DRIVERS = 30
SECONDS = 45.0
STEADY_RIDES = 30
STEADY_RIDES_PER_S = 1.0
RIDES_A_DAY = 10_000
P99_MS = 500.0
CONFIRMED_WITHIN_S = 2.0
DAY_S = 86_400


class TimedApi(Api):
    """Remembers how long every call took."""

    def __init__(self, gateway: str) -> None:
        super().__init__(gateway)
        self.took: list[float] = []

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        answer = await super().call(method, path, **options)
        self.took.append(answer.seconds)
        return answer


@dataclass
class Town:
    """Who rides and drives, and what was measured."""

    api: TimedApi
    bank: Bank
    people: People
    passengers: list[Passenger]
    drivers: list[Driver]
    accepts: list[float] = field(default_factory=list)
    rides: list[str] = field(default_factory=list)
    driven: set[str] = field(default_factory=set)

    async def close(self) -> None:
        for driver in self.drivers:
            with suppress(Exception):
                await driver.go_home()
        for person in (*self.passengers, *self.drivers):
            await person.disconnect()
        await self.api.close()
        await self.bank.close()


async def rides(stack: Stack) -> list[Figure]:
    """How many rides a second the machine carries, and how long calls take at eight times the target's pace.

    The first is a closed loop of everybody at once, which drives the machine to its limit; the latencies are
    taken at a steady ride a second. The clients share the machine with the system. A ride counts when it is
    paid.
    """
    town = await populate(stack, seed=23, passengers=PASSENGERS, drivers=DRIVERS)
    try:
        async with asyncio.timeout(SECONDS * 6):
            rate = await _closed_loop(town)
            town.api.took.clear()
            town.accepts.clear()
            town.rides.clear()
            await _steady(town)
        return _figures(town, rate=rate, delays=await _confirmation_delays(stack, town.rides))
    finally:
        await town.close()


async def _closed_loop(town: Town) -> float:
    """Paid rides a second."""
    started = perf_counter()
    until = started + SECONDS
    await asyncio.gather(*(_ride(town, passenger, until=until) for passenger in town.passengers))
    return len(town.rides) / (perf_counter() - started)


async def _steady(town: Town) -> None:
    """One new ride each second, whatever became of the last."""
    rides = []
    for number in range(STEADY_RIDES):
        passenger = town.passengers[number % len(town.passengers)]
        rides.append(asyncio.ensure_future(_ride(town, passenger, until=perf_counter() + 0.001)))
        await asyncio.sleep(1 / STEADY_RIDES_PER_S)
    await asyncio.gather(*rides)


def _figures(town: Town, *, rate: float, delays: list[float]) -> list[Figure]:
    return [
        Figure(
            name="journey.rides_per_s",
            value=rate,
            unit="rides/s",
            yardstick="10,000 rides a day",
            yardstick_value=RIDES_A_DAY / DAY_S,
        ),
        Figure(
            name="journey.call_p99_ms",
            value=percentile(town.api.took, 0.99) * 1000,
            unit="ms",
            yardstick="target",
            yardstick_value=P99_MS,
        ),
        Figure(
            name="journey.accept_p99_ms",
            value=percentile(town.accepts, 0.99) * 1000,
            unit="ms",
            yardstick="target",
            yardstick_value=P99_MS,
        ),
        Figure(
            name="journey.webhook_to_confirmed_p99_s",
            value=percentile(delays, 0.99),
            unit="s",
            yardstick="target",
            yardstick_value=CONFIRMED_WITHIN_S,
        ),
    ]


async def populate(stack: Stack, *, seed: int, passengers: int, drivers: int) -> Town:
    """Everybody registered, approved, connected and online; drivers take and drive what they are offered."""
    api, people = TimedApi(stack.gateway), People(seed, run=str(perf_counter()))
    town = Town(
        api=api,
        bank=Bank(stack.efi["control"]),
        people=people,
        passengers=[make_passenger(api, people) for _ in range(passengers)],
        drivers=[make_driver(api, people) for _ in range(drivers)],
    )
    admin = Admin(api, **stack.admin)
    await admin.log_in()
    everybody: list[Person] = [*town.passengers, *town.drivers]
    await register_all(everybody)
    await asyncio.gather(*(admin.approve(driver) for driver in town.drivers))
    await asyncio.gather(*(person.connect() for person in everybody))
    await asyncio.gather(*(driver.go_online() for driver in town.drivers))
    for driver in town.drivers:
        driver.on_offer(partial(_answer, town, driver))
    return town


async def _answer(town: Town, driver: Driver, frame: Frame) -> None:
    answer = await driver.accept(frame["data"]["ride_id"])
    town.accepts.append(answer.seconds)
    # A ride that is offered again may be won by an answer to either offer: it is driven once.
    if answer.status == 200 and frame["data"]["ride_id"] not in town.driven:
        town.driven.add(frame["data"]["ride_id"])
        await driver.drive(frame["data"]["ride_id"])


async def _ride(town: Town, passenger: Passenger, *, until: float) -> None:
    """One ride after the other; a search that found nobody is tried again."""
    while perf_counter() < until:
        ride_id = (await passenger.request_ride(town.people.trip()))["id"]
        charge = asyncio.ensure_future(passenger.charge_of(ride_id, timeout_s=90))
        nobody = asyncio.ensure_future(
            passenger.socket.wait("ride.no_driver_found", timeout_s=90, ride_id=ride_id)
        )
        done, late = await asyncio.wait([charge, nobody], return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if charge in done:
            await town.bank.pay(charge.result()["data"]["txid"])
            await passenger.socket.wait("ride.paid", timeout_s=90, ride_id=ride_id)
            town.rides.append(ride_id)


async def _confirmation_delays(stack: Stack, rides: list[str]) -> list[float]:
    """From the storing of the webhook to the confirmation, in seconds."""
    rows = await query(
        stack,
        "payment",
        "SELECT min(w.received_at) AS told, min(i.confirmed_at) AS confirmed"
        " FROM payment_intents i JOIN pix_charges c ON c.payment_intent_id = i.id"
        " JOIN webhook_events w ON w.e2e_id = c.e2e_id"
        " WHERE i.ride_id = ANY($1::uuid[]) GROUP BY i.id",
        rides,
    )
    return [_seconds(row["told"], row["confirmed"]) for row in rows]


def _seconds(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds(), 0.0)
