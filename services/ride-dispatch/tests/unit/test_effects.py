"""Effects and loops with fakes: the outside may be away."""

import asyncio
from datetime import timedelta

import pytest
from dispatch_builders import NOW, PICKUP, a_ride
from dispatch_fakes import World

from contracts.ride_dispatch import DriverLocationUpdated, RideOffered
from contracts.ride_dispatch import RideStatus as S
from kernel.ids import new_id
from ride_dispatch.domain.location import Point, Trail
from ride_dispatch.domain.place import Place
from ride_dispatch.effects.await_points import await_points
from ride_dispatch.effects.dispatch_due import dispatch_due
from ride_dispatch.effects.dispatch_ride import dispatch_ride
from ride_dispatch.effects.flush_positions import flush_positions
from ride_dispatch.effects.record_location import record_location
from ride_dispatch.effects.refresh_driver import refresh_driver
from ride_dispatch.jobs import Bell, Loop
from testkit import eventually


async def test_a_flushed_index_is_filled_before_it_is_asked() -> None:
    world = World()
    world.index.filled = False
    driver_id, ride = world.tx.put_driver(), world.tx.put_ride(a_ride())

    wave = await dispatch_ride(world.deps, ride_id=ride.id)

    assert wave is not None
    assert wave.offered == 1
    assert driver_id in world.index.found


async def test_postgres_answers_while_the_index_is_away() -> None:
    world = World()
    world.index.away = True
    world.tx.put_driver()
    world.tx.put_driver(place=Place(lat=-10.0, lon=-46.0))
    ride = world.tx.put_ride(a_ride())

    wave = await dispatch_ride(world.deps, ride_id=ride.id)

    assert wave is not None
    assert wave.offered == 1


async def test_whom_the_index_should_not_have_found_is_taken_out() -> None:
    world = World()
    driver_id, ride = world.tx.put_driver(), world.tx.put_ride(a_ride())
    await refresh_driver(world.deps, driver_id=driver_id)
    world.tx.drivers.put(driver_id, online=False)

    await dispatch_ride(world.deps, ride_id=ride.id)

    assert world.index.found == {}


async def test_every_due_ride_gets_its_wave_and_no_other() -> None:
    world = World()
    for _ in range(3):
        world.tx.put_driver()
    due = [world.tx.put_ride(a_ride()) for _ in range(2)]
    world.tx.put_ride(a_ride(S.ACCEPTED))
    world.index.away = True

    assert await dispatch_due(world.deps) == 2
    assert {fact.ride_id for fact in world.tx.facts(RideOffered)} == {ride.id for ride in due}
    assert await dispatch_ride(world.deps, ride_id=new_id()) is None


def a_point(seconds: float = 0, place: Place = PICKUP) -> Point:
    return Point(place=place, recorded_at=NOW + timedelta(seconds=seconds))


async def test_a_believed_point_reaches_index_topic_and_buffer() -> None:
    world = World()
    driver_id = world.tx.put_driver(located_at=NOW - timedelta(minutes=1))

    assert await record_location(world.deps, driver_id=driver_id, points=[a_point()]) == 1

    [fact] = world.beacon.sent
    assert isinstance(fact, DriverLocationUpdated)
    assert (fact.ride_id, fact.passenger_id) == (None, None)
    assert driver_id in world.index.found
    assert await flush_positions(world.deps) == 1
    assert world.tx.drivers.rows[driver_id].located_at == NOW
    assert await flush_positions(world.deps) == 0


async def test_a_point_from_before_the_accept_is_nobodys() -> None:
    world = World()
    ride = world.tx.put_ride(a_ride(S.ACCEPTED, accepted_at=NOW))
    world.tx.drivers.put(ride.driver(), current_ride_id=ride.id, located_at=NOW - timedelta(minutes=1))
    points = [a_point(-1), a_point(0)]

    await record_location(world.deps, driver_id=ride.driver(), points=points)

    stamps = [fact.ride_id for fact in world.beacon.sent if isinstance(fact, DriverLocationUpdated)]
    assert stamps == [None, ride.id]


async def test_what_another_process_heard_later_counts() -> None:
    world = World()
    driver_id = world.tx.put_driver(located_at=NOW)
    world.trails.keep(driver_id, trail=Trail(anchor=a_point(-60)))
    assert await record_location(world.deps, driver_id=driver_id, points=[a_point(-30)]) == 0
    world.trails.keep(driver_id, trail=Trail(anchor=a_point(5)))
    assert await record_location(world.deps, driver_id=driver_id, points=[a_point(3)]) == 0
    assert world.beacon.sent == []


async def test_positions_that_could_not_be_written_wait_for_the_next_flush() -> None:
    world = World()
    world.trails.keep(new_id(), trail=Trail(anchor=a_point()))
    world.broken = True
    with pytest.raises(ConnectionError):
        await flush_positions(world.deps)
    world.broken = False
    assert await flush_positions(world.deps) == 1


async def test_a_fare_waits_only_for_points_that_are_on_their_way() -> None:
    world = World()
    ride = world.tx.put_ride(a_ride(S.IN_PROGRESS))
    driver_id = ride.driver()

    async def settled() -> bool:
        return await await_points(world.deps, ride_id=ride.id, driver_id=driver_id)

    assert await settled()
    world.trails.keep(driver_id, trail=Trail(anchor=a_point(-1)))
    assert await settled()
    world.trails.keep(driver_id, trail=Trail(anchor=a_point(1)))
    assert not await settled()
    world.tx.locations.points.append(
        DriverLocationUpdated(
            driver_id=driver_id,
            lat=PICKUP.lat,
            lon=PICKUP.lon,
            recorded_at=NOW + timedelta(seconds=1),
            ride_id=ride.id,
        )
    )
    assert await settled()


async def test_a_loop_turns_when_the_bell_rings_and_survives_a_failure() -> None:
    turns: list[int] = []

    async def work() -> None:
        turns.append(len(turns))
        if len(turns) == 1:
            raise ValueError("the first turn fails")

    bell = Bell()
    loop = Loop("test", work, every_s=3600, bell=bell, once_more=True)
    await loop.start()
    await eventually(lambda: len(turns) == 1)
    bell.ring()
    await eventually(lambda: len(turns) == 2)
    assert loop.unhealthy() is None

    await asyncio.wait_for(loop.stop(), timeout=2)

    assert len(turns) == 3
