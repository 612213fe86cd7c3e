"""Passengers, drivers and the admin, as their apps would act."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from simulator.api import Answer, Api, new_key
from simulator.people import PASSWORD, People
from simulator.sockets import AppSocket, Frame

PING_S = 2.0
# It takes far less; how long it may take is the journeys' affair, and a loaded machine is slow.
APPROVAL_EVERYWHERE_S = 20.0


class Person:
    """Somebody with an account. `token` is an access token, renewed by `log_in`."""

    def __init__(self, api: Api, registration: dict[str, Any]) -> None:
        self.api = api
        self.registration = registration
        self.id = ""
        self.token = ""
        self.refresh_token = ""
        self._socket: AppSocket | None = None

    @property
    def socket(self) -> AppSocket:
        assert self._socket is not None, "the app is not connected"
        return self._socket

    async def register(self) -> None:
        answer = await self.api.call("POST", "/auth/register", body=self.registration)
        self.id = answer.expect(201).body["user_id"]

    async def log_in(self) -> None:
        body = {"login": self.registration["email"], "password": self.registration["password"]}
        session = (await self.api.call("POST", "/auth/login", body=body)).expect(200).body
        self.token, self.refresh_token = session["access_token"], session["refresh_token"]

    async def connect(self) -> None:
        self._socket = await AppSocket.open(self.api, self.token)

    async def disconnect(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def get(self, path: str) -> Answer:
        return await self.api.settled("GET", path, token=self.token)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        return await self.api.settled("POST", path, token=self.token, body=body, key=key)


class Admin(Person):
    """The first admin, from the stack's own description."""

    def __init__(self, api: Api, *, login: str, password: str) -> None:
        super().__init__(api, {"email": login, "password": password})

    async def approve(self, driver: "Driver") -> None:
        (await self.post(f"/admin/drivers/{driver.id}/approve")).expect(200)

    async def pending(self) -> list[str]:
        """Ids of the drivers who wait for approval, over all pages."""
        ids: list[str] = []
        cursor = ""
        while True:
            page = (await self.get(f"/admin/drivers/pending?limit=100{cursor}")).expect(200).body
            ids += [row.get("user_id") or row["id"] for row in page["data"]]
            if not page["has_more"]:
                return ids
            cursor = f"&cursor={page['next_cursor']}"


class Passenger(Person):
    async def request_ride(self, trip: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
        ride: dict[str, Any] = (await self.post("/rides", trip, key=key or new_key())).expect(201).body
        return ride

    async def cancel(self, ride_id: str, *, reason: str = "changed_mind") -> Answer:
        return await self.post(f"/rides/{ride_id}/cancel", {"reason": reason})

    async def charge_of(self, ride_id: str, *, timeout_s: float = 30.0) -> Frame:
        """The frame with the code to pay."""
        return await self.socket.wait("payment.intent.created", timeout_s=timeout_s, ride_id=ride_id)

    async def rate(self, ride_id: str, *, stars: int) -> None:
        (await self.post(f"/rides/{ride_id}/rating", {"stars": stars})).expect(201)


class Driver(Person):
    """Online it reports its position; offers are handed to `on_offer`."""

    def __init__(self, api: Api, registration: dict[str, Any], *, place: tuple[float, float]) -> None:
        super().__init__(api, registration)
        self.place = place
        self._tasks: set[asyncio.Task[Any]] = set()

    async def go_online(self) -> None:
        """Report and go on duty, with the patience of one whose approval may still be on its way to dispatch."""
        await self.report()
        async with asyncio.timeout(APPROVAL_EVERYWHERE_S):
            while (answer := await self._go_on_duty()).code == "driver_not_approved":
                await asyncio.sleep(0.1)
        answer.expect(200)
        await self.report()
        self.spawn(self._keep_reporting())

    async def _go_on_duty(self) -> Answer:
        return await self.api.settled(
            "PUT", f"/drivers/{self.id}/availability", token=self.token, body={"online": True}
        )

    async def report(self) -> None:
        lat, lon = self.place
        body = {"lat": lat, "lon": lon, "accuracy_m": 8.0}
        (await self.post(f"/drivers/{self.id}/location", body)).expect(202)

    def on_offer(self, listener: Callable[[Frame], Awaitable[None]]) -> None:
        def hear(frame: Frame) -> None:
            if frame["type"] == "ride.offered":
                self.spawn(listener(frame))

        self.socket.on_frame(hear)

    def spawn(self, work: Any) -> None:
        """Run beside; failures surface in `go_home`."""
        self._tasks.add(asyncio.ensure_future(work))

    async def accept(self, ride_id: str, *, key: str | None = None) -> Answer:
        return await self.post(f"/rides/{ride_id}/accept", key=key or new_key())

    async def drive(self, ride_id: str) -> dict[str, Any]:
        """From the acceptance to the end; answers the completed ride."""
        for step in ("arrive", "start"):
            (await self.post(f"/rides/{ride_id}/{step}")).expect(200)
        await self.report()
        ride: dict[str, Any] = (await self.post(f"/rides/{ride_id}/complete", {})).expect(200).body
        return ride

    async def ask_payout(self, amount: str, *, key: str | None = None) -> Answer:
        return await self.post("/payouts", {"amount": amount}, key=key or new_key())

    async def balance(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.get(f"/drivers/{self.id}/balance")).expect(200).body
        return body

    async def go_home(self) -> None:
        """Stop reporting and raise what went wrong beside."""
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            if not task.done():
                task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    async def _keep_reporting(self) -> None:
        while True:
            await asyncio.sleep(PING_S)
            await self.report()


async def register_all(people: "list[Person]", *, at_once: int = 8) -> None:
    """Register and log in everybody, a few at a time: each password costs a tenth of a second to hash."""
    turn = asyncio.Semaphore(at_once)

    async def one(person: Person) -> None:
        async with turn:
            await person.register()
            await person.log_in()

    await asyncio.gather(*(one(person) for person in people))


def make_passenger(api: Api, people: People) -> Passenger:
    return Passenger(api, people.passenger())


def make_driver(api: Api, people: People, *, category: str = "standard") -> Driver:
    return Driver(api, people.driver(category=category), place=people.place())


__all__ = [
    "PASSWORD",
    "Admin",
    "Driver",
    "Passenger",
    "Person",
    "make_driver",
    "make_passenger",
    "register_all",
]
