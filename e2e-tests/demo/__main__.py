"""`python -m demo`; SEED, RIDES and KEEP are environment variables."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import payouts, reconciliation, refunds, report
from demo.cast import PASSENGERS, Cast, approve_drivers, assemble, enrol, open_apps
from demo.console import Console
from demo.rides import Director
from devstack import stack as stacks
from simulator.actors import Passenger
from simulator.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
LEAST_RIDES = 30
SPECIAL_RIDES = 6
CONTENDERS = 5
# The demo cannot wait five minutes for the janitor or two for a search that must fail, and ten drivers
# accept more often than five times a minute.
SETTINGS = {
    "JANITOR_S": "2",
    "SEARCH_TTL_S": "8",
    "WAVE_SIZE": "8",
    "INFLIGHT_CAP": "6",
    "LIMITS": "relaxed",
}


@dataclass(frozen=True, slots=True)
class Options:
    seed: int
    rides: int
    keep: bool

    @property
    def folder(self) -> Path:
        """Where the stack lives: the usual place when it stays up, else one of this run's own."""
        return ROOT / ".local" if self.keep else ROOT / ".local" / f"demo-{os.getpid()}"


def options() -> Options:
    given = Options(
        seed=int(os.environ.get("SEED") or 7),
        rides=int(os.environ.get("RIDES") or LEAST_RIDES),
        keep=os.environ.get("KEEP") == "1",
    )
    if given.rides < SPECIAL_RIDES + 1:
        sys.exit(f"RIDES must be at least {SPECIAL_RIDES + 1}")
    return given


@asynccontextmanager
async def running_stack(console: Console, chosen: Options) -> AsyncIterator[Stack]:
    """A stack for the demo; it is gone afterwards unless it shall stay."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    owner = None if chosen.keep else os.getpid()
    try:
        with console.step("the stack is up: Postgres, Kafka, Valkey, Efí's simulator and eight services"):
            up = await asyncio.to_thread(
                stacks.up, chosen.folder, say=lambda line: console.say(f"          {line}"), owner_pid=owner
            )
            if not up:
                raise SystemExit(f"the stack did not come up; its logs are in {chosen.folder / 'logs'}")
        yield Stack.load(chosen.folder / "stack.json")
    finally:
        if not chosen.keep:
            await asyncio.to_thread(stacks.down, chosen.folder)
            shutil.rmtree(chosen.folder, ignore_errors=True)


async def prepare(console: Console, cast: Cast) -> None:
    with console.step(f"{len(cast.passengers)} passengers and {len(cast.drivers)} drivers registered"):
        await enrol(cast)
    with console.step("the admin reviewed the drivers") as added:
        added.append(f"{await approve_drivers(cast)} approved")
    with console.step("every app is connected, every driver online"):
        await open_apps(cast)


async def special_rides(console: Console, director: Director, passengers: list[Passenger]) -> str:
    """The rides in which something goes wrong, each with a passenger of its own; answers the race's ride."""
    race, canceled, taken_over, nobody, dropped, thrice = passengers[:SPECIAL_RIDES]
    with console.step("a race for one ride") as added:
        race_id, contenders, winners = await director.race(race, contenders=CONTENDERS)
        added.append(f"{contenders} drivers accepted at once, {winners} won")
    with console.step("a ride canceled by its passenger"):
        await director.canceled_by_passenger(canceled)
    with console.step("a ride whose driver gave up, taken over by another"):
        await director.given_up_and_taken_over(taken_over)
    with console.step("a Pix whose webhook was dropped, found by the janitor"):
        await director.paid_with(dropped, webhooks="drop")
    with console.step("a webhook delivered three times, counted once"):
        await director.paid_with(thrice, webhooks="duplicate")
    with console.step("a ride in a city without drivers"):
        await director.without_driver(nobody)
    return race_id


async def ordinary_rides(
    console: Console, director: Director, passengers: list[Passenger], *, count: int
) -> None:
    """The rest, all passengers at once, each one ride after the other."""

    async def ride(passenger: Passenger, times: int) -> None:
        for _ in range(times):
            await director.ordinary(passenger)

    shares = [count // len(passengers) + (i < count % len(passengers)) for i in range(len(passengers))]
    with console.step(f"{count} ordinary rides: requested, driven, paid by Pix, posted"):
        await asyncio.gather(*(ride(p, n) for p, n in zip(passengers, shares, strict=True)))


async def pay_out(console: Console, cast: Cast) -> None:
    drivers = await payouts.drivers_with_money(cast)
    refused, racer, *others = drivers
    with console.step("a payout that the receiver's bank rejects") as added:
        added.append(f"{await payouts.refused_by_bank(cast, refused)}, the hold reversed")
    with console.step("two payouts that race for one balance") as added:
        added.append(" and ".join(sorted(await payouts.racing(racer))))
    with console.step(f"payouts of {len(others)} more drivers") as added:
        ended = payouts.count(list(await asyncio.gather(*(payouts.ordinary(d) for d in others))))
        added.append(f"{ended.completed} completed")


async def refund(console: Console, cast: Cast) -> None:
    """After the payouts: what a driver no longer has of the fare, the driver owes (account 1350)."""
    *_, part, whole = refunds.who_paid(cast.passengers)
    with console.step("a ride refunded in full by the admin, after the payouts") as added:
        done = await refunds.in_full(cast, whole)
        added.append(f"R$ {done.amount} back at the passenger")
    with console.step("a ride refunded in part") as added:
        done = await refunds.in_part(cast, part)
        added.append(f"R$ {done.amount} of R$ {done.fare}, pro rata over commission and driver")


async def reconcile(console: Console, cast: Cast) -> dict[str, Any]:
    """Today's statement so far beside the books."""
    with console.step("Efí's statement of today, matched with BANCO_CORRENTE") as added:
        found = reconciliation.summary(await reconciliation.today(cast))
        added.append(f"{found['matched']} of {found['lines']} lines, {found['differences']} differences")
    return found


async def prove(chosen: Options, *, race: str) -> dict[str, Any]:
    """The checks, in a process that has not seen any of this."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "proof",
        "--stack",
        str(chosen.folder / "stack.json"),
        "--race",
        race,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    found: dict[str, Any] = json.loads(output)
    return found


def show(console: Console, found: dict[str, Any]) -> None:
    console.title("Rides and payouts")
    for name in ("rides", "webhooks", "payouts", "refunds"):
        console.say(
            f"  {name:<9} " + "  ".join(f"{key.replace('_', ' ')} {n}" for key, n in found[name].items())
        )
    console.title("Money")
    console.table(
        ("code", "account", "balance"),
        [(line["code"], line["name"], f"R$ {line['balance']:>10}") for line in found["money"]],
    )
    console.title("Reconciliation of the day so far, Efí beside the books")
    day = found["reconciliation"]
    console.say(
        f"  came in R$ {day['came_in']}  went out R$ {day['went_out']}  at Efí R$ {day['bank_balance']}"
    )
    console.say(
        f"  lines {day['lines']}  matched {day['matched']}  differences {day['differences']}"
        f"  of R$ {day['difference']}  open cases {day['open_cases']}"
    )
    console.title("Proof, from the databases, Kafka and the bank")
    for check in found["checks"]:
        console.verdict(check["name"], ok=check["ok"], detail=check["detail"])


async def perform(console: Console, stack: Stack, chosen: Options) -> dict[str, Any]:
    cast = assemble(stack, seed=chosen.seed)
    director = Director(cast)
    try:
        console.title("The people")
        await prepare(console, cast)
        director.brief()
        console.title("The rides")
        race = await special_rides(console, director, cast.passengers)
        rest = cast.passengers[SPECIAL_RIDES:PASSENGERS]
        await ordinary_rides(console, director, rest, count=chosen.rides - SPECIAL_RIDES)
        console.title("The payouts")
        await pay_out(console, cast)
        console.title("The refunds, and the day's reconciliation")
        await refund(console, cast)
        reconciled = await reconcile(console, cast)
    finally:
        await cast.dismiss()
    with console.step("everything under way has ended, and the books were read by another process"):
        return {**await prove(chosen, race=race), "reconciliation": reconciled}


async def main() -> int:
    chosen, console = options(), Console()
    console.title(f"Ibora, the whole ride · seed {chosen.seed}, {chosen.rides} rides")
    async with running_stack(console, chosen) as stack:
        found = await perform(console, stack, chosen)
        show(console, found)
        written = report.write(found, seconds=console.seconds)
        if chosen.keep:
            console.title("The stack stays up; stop it with: make down")
            for line in stacks.summary(stacks.described(chosen.folder), chosen.folder):
                console.say(line)
    verdict = (
        console.paint("all of it holds", "32") if written["ok"] else console.paint("it does NOT hold", "31")
    )
    console.title(f"{verdict} · {written['seconds']} s · report in build/demo-report.json")
    return 0 if written["ok"] else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
