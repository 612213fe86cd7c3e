"""The payouts of the demo: most go through, Efí refuses one, and two race for one balance."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from demo.cast import Cast
from simulator.actors import Driver
from simulator.api import Answer

LEAST = Decimal("1.00")


@dataclass
class Outcome:
    """How many payouts ended how."""

    completed: int = 0
    failed: int = 0
    refused: int = 0


async def available(driver: Driver) -> Decimal:
    return Decimal((await driver.balance())["available"])


async def drivers_with_money(cast: Cast) -> list[Driver]:
    """Richest first."""
    balances = await asyncio.gather(*(available(driver) for driver in cast.drivers))
    having = [pair for pair in zip(balances, cast.drivers, strict=True) if pair[0] >= LEAST]
    return [driver for _, driver in sorted(having, key=lambda pair: pair[0], reverse=True)]


async def final_status(driver: Driver, asked: Answer) -> str:
    """The payout's end as its driver's app hears of it; `refused` when it was never taken on."""
    if asked.status == 422:
        assert asked.code == "insufficient_balance", asked
        return "refused"
    payout_id = asked.expect(201).body["id"]
    frame = await driver.socket.wait("payout.completed", "payout.failed", payout_id=payout_id)
    if frame["type"] == "payout.completed":
        return "completed"
    return "refused" if frame["data"]["reason"] == "insufficient_balance" else "failed"


async def refused_by_bank(cast: Cast, driver: Driver) -> str:
    """Efí takes the transfer on and then reports that the receiver's bank rejected it."""
    await cast.bank.sends("reject_later")
    return await final_status(driver, await driver.ask_payout(f"{await available(driver):.2f}"))


async def racing(driver: Driver) -> list[str]:
    """The same whole balance, asked for twice at once."""
    amount = f"{await available(driver):.2f}"
    asked = await asyncio.gather(*(driver.ask_payout(amount) for _ in range(2)))
    return list(await asyncio.gather(*(final_status(driver, answer) for answer in asked)))


async def ordinary(driver: Driver) -> str:
    return await final_status(driver, await driver.ask_payout(f"{await available(driver):.2f}"))


def count(statuses: list[str]) -> Outcome:
    return Outcome(**{name: statuses.count(name) for name in ("completed", "failed", "refused")})
