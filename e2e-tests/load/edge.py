"""What the gateway costs: one authenticated read through it and past it."""

import asyncio
from time import perf_counter

import aiohttp

from load.figure import Figure, percentile
from simulator.actors import Passenger, make_passenger
from simulator.api import Api
from simulator.people import People
from simulator.stack import Stack

SECONDS = 6.0
AT_ONCE = 16
PATH = "/me"


async def pass_through(stack: Stack) -> list[Figure]:
    """`GET /me` through the gateway against the same call on identity itself: requests a second and p99."""
    api = Api(stack.gateway)
    passenger = make_passenger(api, People(11, run=str(perf_counter())))
    await passenger.register()
    await passenger.log_in()
    through = await _hammer(f"{stack.gateway}/v1{PATH}", passenger)
    past = await _hammer(f"{stack.services['identity']}{PATH}", passenger)
    await api.close()
    return [
        Figure(
            name="edge.requests",
            value=len(through) / SECONDS,
            unit="requests/s",
            yardstick="direct call",
            yardstick_value=len(past) / SECONDS,
        ),
        Figure(
            name="edge.latency_p99_ms",
            value=percentile(through, 0.99) * 1000,
            unit="ms",
            yardstick="direct call p99",
            yardstick_value=percentile(past, 0.99) * 1000,
        ),
    ]


async def _hammer(url: str, passenger: Passenger) -> list[float]:
    """Latencies of as many calls as fit into the time, a few at once."""
    headers = {"Authorization": f"Bearer {passenger.token}"}
    took: list[float] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def caller(until: float) -> None:
            while (started := perf_counter()) < until:
                async with session.get(url, headers=headers) as response:
                    await response.read()
                    assert response.status == 200, response.status
                took.append(perf_counter() - started)

        until = perf_counter() + SECONDS
        await asyncio.gather(*(caller(until) for _ in range(AT_ONCE)))
    return took
