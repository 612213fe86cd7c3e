"""Passengers and drivers who do not give up."""

from decimal import Decimal
from typing import Any

from faults.lasting_socket import LastingSocket
from faults.patience import PatientApi
from simulator.actors import Driver, Passenger, Person
from simulator.api import Answer

LEAST = Decimal("1.00")
STEPS = ("arrive", "start", "complete")
REACHED = {
    "arrive": {"DRIVER_ARRIVED", "IN_PROGRESS", "COMPLETED", "PAYMENT_PENDING", "PAID"},
    "start": {"IN_PROGRESS", "COMPLETED", "PAYMENT_PENDING", "PAID"},
    "complete": {"COMPLETED", "PAYMENT_PENDING", "PAID"},
}


class Resident(Person):
    """Somebody whose app comes back after every loss."""

    def __init__(self, api: PatientApi, registration: dict[str, Any], **more: Any) -> None:
        super().__init__(api, registration, **more)
        self._lasting: LastingSocket | None = None

    @property
    def app(self) -> LastingSocket:
        assert self._lasting is not None, "the app is not connected"
        return self._lasting

    async def connect(self) -> None:
        self._lasting = await LastingSocket.open(self.api, self.token)

    async def disconnect(self) -> None:
        if self._lasting is not None:
            await self._lasting.close()

    async def refresh(self) -> None:
        """Rotate the tokens. A lost answer is asked for again with the token that it may have used up."""
        answer = await self.api.call("POST", "/auth/refresh", body={"refresh_token": self.refresh_token})
        session = answer.expect(200).body
        self.token, self.refresh_token = session["access_token"], session["refresh_token"]


class PatientPassenger(Resident, Passenger):
    """Nothing more than a passenger with a lasting app."""


class PatientDriver(Resident, Driver):
    """Accepts every offer; a step whose answer was lost may have been taken."""

    def follow_offers(self) -> None:
        self.app.on_frame(self._hear)

    def _hear(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "ride.offered":
            self.spawn(self._take(frame["data"]["ride_id"]))

    async def _take(self, ride_id: str) -> None:
        if (await self.accept(ride_id)).expect(200, 409).status == 200:
            await self.drive(ride_id)

    async def drive(self, ride_id: str) -> dict[str, Any]:
        for step in STEPS:
            await self._step(ride_id, step)
        ride: dict[str, Any] = (await self.get(f"/rides/{ride_id}")).expect(200).body
        return ride

    async def _step(self, ride_id: str, step: str) -> None:
        answer: Answer = await self.post(f"/rides/{ride_id}/{step}", {} if step == "complete" else None)
        if answer.expect(200, 409).status == 409:
            ride = (await self.get(f"/rides/{ride_id}")).expect(200).body
            assert ride["status"] in REACHED[step], f"{answer.call}: {answer.body}, but {ride['status']}"

    def check(self) -> None:
        """Raise what went wrong beside: an offer that could not be taken to its end."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()

    async def collect(self) -> None:
        """Ask for all that is there; a refusal means that the balance was on its way elsewhere."""
        amount = (await self.balance())["available"]
        if Decimal(amount) >= LEAST:
            (await self.ask_payout(amount)).expect(201, 422)
