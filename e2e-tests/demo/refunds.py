"""The refunds of the demo: one in part, one in full of a ride whose driver has the money already."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from demo.cast import Cast
from kernel.money import split
from simulator.actors import Passenger
from simulator.api import new_key

TOLD_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Refunded:
    """`amount` went back to the passenger, of a ride of `fare`."""

    ride_id: str
    amount: Decimal
    fare: Decimal


def who_paid(passengers: Iterable[Passenger]) -> list[Passenger]:
    return [passenger for passenger in passengers if _paid(passenger)]


async def in_full(cast: Cast, passenger: Passenger) -> Refunded:
    """All of the passenger's last paid ride, until the ride itself is REFUNDED."""
    charge = _last_paid(passenger)
    done = await _refund(cast, passenger, charge, Decimal(charge["amount"]))
    async with asyncio.timeout(TOLD_WITHIN_S):
        while (await passenger.get(f"/rides/{done.ride_id}")).expect(200).body["status"] != "REFUNDED":
            await asyncio.sleep(0.1)
    return done


async def in_part(cast: Cast, passenger: Passenger) -> Refunded:
    """A third of the passenger's last paid ride."""
    charge = _last_paid(passenger)
    return await _refund(cast, passenger, charge, split(Decimal(charge["amount"]), weights=(1, 2))[0])


async def _refund(cast: Cast, passenger: Passenger, charge: dict[str, Any], amount: Decimal) -> Refunded:
    path = f"/admin/payments/{charge['payment_id']}/refunds"
    body = {"amount": f"{amount:.2f}", "reason": "goodwill"}
    (await cast.admin.post(path, body, key=new_key())).expect(201)
    ride_id = charge["ride_id"]
    frame = await passenger.socket.wait("payment.refunded", timeout_s=TOLD_WITHIN_S, ride_id=ride_id)
    assert Decimal(frame["data"]["amount"]) == amount, frame
    return Refunded(ride_id=ride_id, amount=amount, fare=Decimal(charge["amount"]))


def _last_paid(passenger: Passenger) -> dict[str, Any]:
    """What `payment.intent.created` said of it."""
    frame = passenger.socket.find("payment.intent.created", ride_id=_paid(passenger)[-1])
    assert frame is not None, "a paid ride had a charge"
    charge: dict[str, Any] = frame["data"]
    return charge


def _paid(passenger: Passenger) -> list[str]:
    return [frame["data"]["ride_id"] for frame in passenger.socket.frames if frame["type"] == "ride.paid"]
