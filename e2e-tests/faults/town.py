"""A small closed-loop town: its passengers ride and pay, its drivers drive and are paid out, until told to end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from time import monotonic
from typing import Any, Self

from faults.patience import PatientApi
from faults.residents import PatientDriver, PatientPassenger, Resident
from kernel.money import split
from simulator.actors import Admin, register_all
from simulator.api import new_key
from simulator.bank import Bank
from simulator.people import CENTER, People
from simulator.stack import Stack

RECOVERY_S = 90.0
PAYOUT_EVERY_S = 1.5
PICKUP_DEG, DROPOFF_DEG = 0.004, 0.03


class Town:
    """Open with `await Town.open(stack, …)`. `paid` holds (when it was requested, ride id) of every paid ride.

    `patience_s` is how long a passenger waits for the next step of a ride. `refund_share` of the paid rides are
    refunded by the admin, half of them in full; `refunded` are their ids.
    """

    def __init__(self, stack: Stack, *, seed: int, run: str, center: tuple[float, float]) -> None:
        self.api = PatientApi(stack.gateway)
        self.bank = Bank(stack.efi["control"])
        self.people = People(seed, run=run)
        self.center = center
        self.admin = Admin(self.api, **stack.admin)
        self.passengers: list[PatientPassenger] = []
        self.drivers: list[PatientDriver] = []
        self.paid: list[tuple[float, str]] = []
        self.patience_s = RECOVERY_S
        self.refund_share = 0.0
        self.refunded: list[str] = []
        self._closing = asyncio.Event()
        self._working: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls,
        stack: Stack,
        *,
        seed: int,
        run: str = "",
        passengers: int = 8,
        drivers: int = 8,
        center: tuple[float, float] = CENTER,
    ) -> Self:
        """Everybody registered, approved, connected and online."""
        town = cls(stack, seed=seed, run=run, center=center)
        await town._populate(passengers=passengers, drivers=drivers)
        return town

    @property
    def residents(self) -> list[Resident]:
        return [*self.passengers, *self.drivers]

    @asynccontextmanager
    async def traffic(self) -> AsyncIterator[None]:
        """Inside the block everybody is busy; leaving it waits until everybody has ended what they began."""
        self._closing.clear()
        work = [*map(self._ride, self.passengers), *map(self._collect, self.drivers)]
        self._working = [asyncio.create_task(one) for one in work]
        try:
            yield
            self._closing.set()
            while not all(task.done() for task in self._working):
                self._raise_failures()
                await asyncio.sleep(0.05)
            self._raise_failures()
        finally:
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)
            self._working = []

    async def rides(self, count: int, *, since: float = 0.0, timeout_s: float = RECOVERY_S) -> None:
        """Wait for so many paid rides that were requested after `since` (monotonic)."""
        deadline = monotonic() + timeout_s
        while (done := sum(at >= since for at, _ in self.paid)) < count:
            self._raise_failures()
            assert monotonic() < deadline, f"{done} of {count} rides were paid within {timeout_s:.0f} s"
            await asyncio.sleep(0.05)

    async def more(self, count: int) -> None:
        """Wait until so many more rides are paid than now, whenever they were requested."""
        await self.rides(len(self.paid) + count, timeout_s=self.patience_s)

    async def close(self) -> None:
        await asyncio.gather(*(driver.go_home() for driver in self.drivers), return_exceptions=True)
        await asyncio.gather(*(resident.disconnect() for resident in self.residents))
        await self.api.close()
        await self.bank.close()

    def _raise_failures(self) -> None:
        for task in self._working:
            if task.done():
                task.result()
        for driver in self.drivers:
            driver.check()

    async def _populate(self, *, passengers: int, drivers: int) -> None:
        self.passengers = [PatientPassenger(self.api, self.people.passenger()) for _ in range(passengers)]
        self.drivers = [
            PatientDriver(self.api, self.people.driver(), place=self._place(PICKUP_DEG))
            for _ in range(drivers)
        ]
        await self.admin.log_in()
        await register_all(list(self.residents))
        await asyncio.gather(*(self.admin.approve(driver) for driver in self.drivers))
        await asyncio.gather(*(resident.connect() for resident in self.residents))
        for driver in self.drivers:
            driver.follow_offers()
        await asyncio.gather(*(driver.go_online() for driver in self.drivers))

    async def _ride(self, passenger: PatientPassenger) -> None:
        while not self._closing.is_set():
            requested_at = monotonic()
            ride = await passenger.request_ride(self._trip())
            if charge := await self._pay(passenger, ride["id"]):
                self.paid.append((requested_at, ride["id"]))
                if self.people.random.random() < self.refund_share:
                    await self._refund(passenger, charge)

    async def _pay(self, passenger: PatientPassenger, ride_id: str) -> dict[str, Any] | None:
        """Pay when the code comes, and answer what was paid; None when nobody drove."""
        frame = await passenger.app.wait(
            "payment.intent.created", "ride.no_driver_found", timeout_s=self.patience_s, ride_id=ride_id
        )
        if frame["type"] == "ride.no_driver_found":
            return None
        charge: dict[str, Any] = frame["data"]
        await self.bank.pay(charge["txid"])
        await passenger.app.wait("ride.paid", timeout_s=self.patience_s, ride_id=ride_id)
        return charge

    async def _refund(self, passenger: PatientPassenger, charge: dict[str, Any]) -> None:
        """In full or in part, until the passenger's app says that the money is back."""
        whole = Decimal(charge["amount"])
        amount = whole if self.people.random.random() < 0.5 else split(whole, weights=(1, 2))[0]
        path = f"/admin/payments/{charge['payment_id']}/refunds"
        body = {"amount": f"{amount:.2f}", "reason": "goodwill"}
        (await self.admin.post(path, body, key=new_key())).expect(201)
        await passenger.app.wait("payment.refunded", timeout_s=self.patience_s, ride_id=charge["ride_id"])
        self.refunded.append(charge["ride_id"])

    async def _collect(self, driver: PatientDriver) -> None:
        while not self._closing.is_set():
            await driver.collect()
            try:
                async with asyncio.timeout(PAYOUT_EVERY_S):
                    await self._closing.wait()
            except TimeoutError:
                continue

    def _trip(self) -> dict[str, Any]:
        pickup, dropoff = self._place(PICKUP_DEG), self._place(DROPOFF_DEG)
        return {
            "pickup_lat": pickup[0],
            "pickup_lon": pickup[1],
            "dropoff_lat": dropoff[0],
            "dropoff_lon": dropoff[1],
            "category": "standard",
        }

    def _place(self, within_deg: float) -> tuple[float, float]:
        return self.people.place(center=self.center, within_deg=within_deg)
