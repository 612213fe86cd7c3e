"""The rides of the demo: ordinary ones, and those in which something goes wrong."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import Any

from demo.cast import Cast
from simulator.actors import Driver, Passenger
from simulator.sockets import Frame

RIO = (-22.9068, -43.1729)


class Plan(Enum):
    """What the drivers do about a ride's offers."""

    DRIVE = auto()
    IGNORE = auto()
    RACE = auto()
    GIVE_UP_ONCE = auto()


@dataclass
class Director:
    """Knows what is planned for each ride, and what became of it."""

    cast: Cast
    plans: dict[str, Plan] = field(default_factory=dict)
    planned: asyncio.Condition = field(default_factory=asyncio.Condition)
    gave_up: set[str] = field(default_factory=set)
    driving: set[tuple[str, str]] = field(default_factory=set)
    contenders: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    bank_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    start_gun: asyncio.Event = field(default_factory=asyncio.Event)
    offered: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def brief(self) -> None:
        """Tell every driver how to answer offers."""
        for driver in self.cast.drivers:
            driver.on_offer(partial(self._answer, driver))

    async def request(self, passenger: Passenger, plan: Plan, trip: dict[str, Any] | None = None) -> str:
        """Request a ride and let the drivers know what is planned for it; answers its id."""
        ride = await passenger.request_ride(trip or self.cast.people.trip())
        ride_id: str = ride["id"]
        async with self.planned:
            self.plans[ride_id] = plan
            self.planned.notify_all()
        return ride_id

    async def ordinary(self, passenger: Passenger) -> str:
        """Requested, driven, paid; on a busy machine a search may find nobody in its time, and is tried again."""
        while True:
            ride_id = await self.request(passenger, Plan.DRIVE)
            ends = ("ride.accepted", "ride.no_driver_found")
            if (await passenger.socket.wait(*ends, timeout_s=60, ride_id=ride_id))["type"] == "ride.accepted":
                await self.ride_and_pay(passenger, ride_id)
                return ride_id

    async def ride_and_pay(self, passenger: Passenger, ride_id: str, *, webhooks: str | None = None) -> None:
        """Wait for the code, pay it, wait for the confirmation. `webhooks` is how the bank behaves for it.

        Payments take turns, so that the bank's misbehaviour meets the payment that it is meant for.
        """
        await passenger.socket.wait("ride.accepted", timeout_s=60, ride_id=ride_id)
        charge = await passenger.charge_of(ride_id, timeout_s=60)
        async with self.bank_turn:
            if webhooks is not None:
                await self.cast.bank.webhooks(webhooks)
            await self.cast.bank.pay(charge["data"]["txid"])
            if webhooks is not None:
                await passenger.socket.wait("payment.confirmed", timeout_s=60, ride_id=ride_id)
        await passenger.socket.wait("payment.confirmed", timeout_s=60, ride_id=ride_id)
        await passenger.socket.wait("ride.paid", timeout_s=60, ride_id=ride_id)

    async def race(self, passenger: Passenger, *, contenders: int) -> tuple[str, int, int]:
        """At least `contenders` drivers accept at the same moment; the ride, how many raced, how many won."""
        ride_id = await self.request(passenger, Plan.RACE)
        async with asyncio.timeout(60), self.planned:
            await self.planned.wait_for(lambda: len(self.offered[ride_id]) >= contenders)
        self.start_gun.set()
        await self.ride_and_pay(passenger, ride_id)
        statuses = self.contenders[ride_id]
        return ride_id, len(statuses), statuses.count(200)

    async def canceled_by_passenger(self, passenger: Passenger) -> str:
        ride_id = await self.request(passenger, Plan.IGNORE)
        (await passenger.cancel(ride_id)).expect(200)
        await passenger.socket.wait("ride.canceled", ride_id=ride_id)
        return ride_id

    async def given_up_and_taken_over(self, passenger: Passenger) -> str:
        """The first driver cancels, another one drives."""
        ride_id = await self.request(passenger, Plan.GIVE_UP_ONCE)
        await passenger.socket.wait("ride.reassigning", timeout_s=60, ride_id=ride_id)
        await self.ride_and_pay(passenger, ride_id)
        return ride_id

    async def without_driver(self, passenger: Passenger) -> str:
        """In a city where nobody drives for us."""
        pickup = self.cast.people.place(center=RIO)
        dropoff = self.cast.people.place(center=RIO, within_deg=0.02)
        trip = self.cast.people.trip() | {
            "pickup_lat": pickup[0],
            "pickup_lon": pickup[1],
            "dropoff_lat": dropoff[0],
            "dropoff_lon": dropoff[1],
        }
        ride_id = await self.request(passenger, Plan.IGNORE, trip)
        await passenger.socket.wait("ride.no_driver_found", timeout_s=60, ride_id=ride_id)
        return ride_id

    async def paid_with(self, passenger: Passenger, *, webhooks: str) -> str:
        ride_id = await self.request(passenger, Plan.DRIVE)
        await self.ride_and_pay(passenger, ride_id, webhooks=webhooks)
        return ride_id

    async def _answer(self, driver: Driver, frame: Frame) -> None:
        ride_id = frame["data"]["ride_id"]
        plan = await self._plan_of(ride_id, driver)
        if plan is Plan.IGNORE or (plan is Plan.GIVE_UP_ONCE and driver.id in self.gave_up):
            return
        if plan is Plan.RACE:
            await self.start_gun.wait()
        answer = await driver.accept(ride_id)
        self.contenders[ride_id].append(answer.expect(200, 409).status)
        # A ride that is offered again may be won by an answer to either offer: it is driven once.
        if answer.status == 200 and (driver.id, ride_id) not in self.driving:
            self.driving.add((driver.id, ride_id))
            await self._drive(driver, ride_id, plan)

    async def _drive(self, driver: Driver, ride_id: str, plan: Plan) -> None:
        if plan is Plan.GIVE_UP_ONCE and ride_id not in self.gave_up:
            self.gave_up |= {ride_id, driver.id}
            cancel = await driver.post(f"/rides/{ride_id}/cancel", {"reason": "vehicle_problem"})
            cancel.expect(200)
            return
        await driver.drive(ride_id)

    async def _plan_of(self, ride_id: str, driver: Driver) -> Plan:
        """An offer may overtake the answer to the request: wait until the plan is known."""
        async with self.planned:
            self.offered[ride_id].add(driver.id)
            self.planned.notify_all()
            await self.planned.wait_for(lambda: ride_id in self.plans)
            return self.plans[ride_id]
