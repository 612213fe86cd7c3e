"""Races, cancellations and searches, through the gateway."""

import asyncio

from journeys.conftest import World
from simulator.actors import make_driver


async def test_of_eight_drivers_who_accept_at_once_one_wins(world: World) -> None:
    passenger = await world.passenger()
    drivers = [await world.driver() for _ in range(8)]
    ride = await passenger.request_ride(world.trip())
    for driver in drivers:
        await driver.socket.wait("ride.offered", ride_id=ride["id"])
    answers = await asyncio.gather(*(driver.accept(ride["id"]) for driver in drivers))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    assert {answer.code for answer in answers if answer.status == 409} == {"ride_not_available"}
    losers = [driver for driver, answer in zip(drivers, answers, strict=True) if answer.status == 409]
    for loser in losers:
        await loser.socket.wait("offer.canceled", ride_id=ride["id"])


async def test_the_winner_may_repeat_the_accept(world: World) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ride = await passenger.request_ride(world.trip())
    await driver.socket.wait("ride.offered", ride_id=ride["id"])
    first = (await driver.accept(ride["id"], key="k1")).expect(200)
    replay = (await driver.accept(ride["id"], key="k1")).expect(200)
    again = (await driver.accept(ride["id"], key="k2")).expect(200)
    assert replay.headers.get("Idempotency-Replayed") == "true"
    assert replay.body == first.body
    assert again.body["driver_id"] == driver.id


async def test_a_passenger_has_one_open_ride(world: World) -> None:
    passenger = await world.passenger()
    ride = await passenger.request_ride(world.trip())
    second = await passenger.post("/rides", world.trip(), key="another")
    assert (second.status, second.code) == (409, "active_ride_exists")
    (await passenger.cancel(ride["id"])).expect(200)
    await passenger.request_ride(world.trip())


async def test_a_driver_who_gives_up_is_not_asked_again(world: World) -> None:
    passenger, first = await world.passenger(), await world.driver()
    ride = await passenger.request_ride(world.trip())
    await first.socket.wait("ride.offered", ride_id=ride["id"])
    (await first.accept(ride["id"])).expect(200)
    second = await world.driver()
    (await first.post(f"/rides/{ride['id']}/cancel", {"reason": "vehicle_problem"})).expect(200)
    await passenger.socket.wait("ride.reassigning", ride_id=ride["id"])
    await second.socket.wait("ride.offered", ride_id=ride["id"])
    (await second.accept(ride["id"])).expect(200)
    refused = await first.accept(ride["id"], key="again")
    assert (refused.status, refused.code) == (409, "ride_not_available")
    assert len([f for f in first.socket.frames if f["type"] == "ride.offered"]) == 1


async def test_a_search_without_drivers_ends(world: World) -> None:
    passenger = await world.passenger()
    ride = await passenger.request_ride(world.trip())
    await passenger.socket.wait("ride.no_driver_found", ride_id=ride["id"])
    seen = (await passenger.get(f"/rides/{ride['id']}")).expect(200).body
    assert seen["status"] == "NO_DRIVER_FOUND"


async def test_a_ride_under_way_cannot_be_canceled(world: World) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ride = await passenger.request_ride(world.trip())
    await driver.socket.wait("ride.offered", ride_id=ride["id"])
    (await driver.accept(ride["id"])).expect(200)
    early = await driver.post(f"/rides/{ride['id']}/complete", {})
    assert (early.status, early.code) == (409, "illegal_transition")
    for step in ("arrive", "start"):
        (await driver.post(f"/rides/{ride['id']}/{step}")).expect(200)
    for person in (passenger, driver):
        refused = await person.post(f"/rides/{ride['id']}/cancel", {"reason": "changed_mind"})
        assert (refused.status, refused.code) == (409, "illegal_transition")


async def test_a_pending_driver_cannot_go_online(world: World) -> None:

    driver = make_driver(world.api, world.people)
    await driver.register()
    await driver.log_in()
    answer = await world.api.settled(
        "PUT", f"/drivers/{driver.id}/availability", token=driver.token, body={"online": True}
    )
    assert answer.status == 403, answer
