"""The accept's lock and the position buffer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import valkey.asyncio
from dispatch_builders import NOW, PICKUP

from kernel.ids import new_id
from ride_dispatch.adapters.accept_lock import ValkeyAcceptLock
from ride_dispatch.adapters.positions import PositionBuffer
from ride_dispatch.adapters.valkey_link import ValkeyLink
from ride_dispatch.domain.location import Point, Trail


@pytest.fixture
async def link(valkey_url: str) -> AsyncIterator[ValkeyLink]:
    opened = ValkeyLink(valkey_url, timeout_s=2.0)
    yield opened
    await opened.close()


async def test_a_second_caller_waits_a_little_and_goes_on_without(link: ValkeyLink) -> None:
    lock, ride_id = ValkeyAcceptLock(link, patience_s=0.05), new_id()
    async with lock.hold(ride_id) as first, lock.hold(ride_id) as second, lock.hold(new_id()) as other:
        assert (first, second, other) == (True, False, True)
    async with lock.hold(ride_id) as again:
        assert again


async def test_a_waiting_caller_gets_the_lock_when_it_is_released(link: ValkeyLink) -> None:
    lock, ride_id = ValkeyAcceptLock(link, patience_s=5.0), new_id()

    async def wait() -> bool:
        async with lock.hold(ride_id) as held:
            return held

    async with lock.hold(ride_id):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
    assert await waiting


async def test_a_lock_that_became_anothers_is_not_released(link: ValkeyLink, valkey_url: str) -> None:
    lock, ride_id = ValkeyAcceptLock(link), new_id()
    key = f"dispatch:accept:{ride_id}"
    async with valkey.asyncio.Valkey.from_url(valkey_url, decode_responses=True) as client:
        async with lock.hold(ride_id):
            assert 0 < await client.pttl(key) <= 10_000
            await client.set(key, "another owner")
        assert await client.get(key) == "another owner"


async def test_without_valkey_nobody_waits() -> None:
    dead = ValkeyLink("redis://127.0.0.1:1")
    for link in (ValkeyLink(None), dead):
        async with ValkeyAcceptLock(link, patience_s=60).hold(new_id()) as held:
            assert not held
    await dead.close()


def trail(seconds: float) -> Trail:
    return Trail(anchor=Point(place=PICKUP, recorded_at=NOW + timedelta(seconds=seconds)))


def test_the_buffer_gives_each_new_position_once_and_forgets_the_oldest_driver() -> None:
    buffer = PositionBuffer(most_trails=2)
    first, second, third = new_id(), new_id(), new_id()
    buffer.keep(first, trail=trail(0))
    taken = buffer.take()
    assert [position.driver_id for position in taken] == [first]
    buffer.keep(first, trail=trail(0))
    assert buffer.take() == []

    buffer.keep(first, trail=trail(1))
    buffer.give_back(taken)
    assert [position.point for position in buffer.take()] == [trail(1).anchor]
    buffer.keep(second, trail=trail(0))
    buffer.keep(third, trail=trail(0))
    assert buffer.trail_of(first) is None
    assert buffer.trail_of(third) == trail(0)
