"""The driver's desk: duty, position, and being found, whatever becomes of Valkey."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import valkey.asyncio
from dispatch_stack import PAULISTA, OpenStack, Person, Stack, profile_of, trip

from contracts.identity import ApprovalStatus, UserStatus, UserType, VehicleCategory
from contracts.ride_dispatch import OfferCanceled, OfferEnd
from kernel.ids import new_id
from ride_dispatch.domain.location import Point
from ride_dispatch.domain.place import Place
from ride_dispatch.effects.dispatch_due import dispatch_due
from ride_dispatch.effects.flush_positions import flush_positions
from ride_dispatch.ports import DriverPosition
from testkit import eventually


async def refused_online(driver: Person) -> tuple[int, str]:
    answer = await driver.put(f"/drivers/{driver.id}/availability", {"online": True})
    return answer.status_code, answer.json()["code"]


async def waved(service: Stack, ride_id: str) -> None:
    """The ride had a wave that found nobody else: its next one lies in the future."""

    async def looked() -> bool:
        [row] = await service.sql(
            "SELECT next_wave_at > search_started_at AS looked FROM rides WHERE id = $1", ride_id
        )
        return bool(row["looked"])

    await eventually(looked, what="a wave was tried")


async def test_only_an_approved_and_active_driver_goes_online(service: Stack) -> None:
    pending = await service.driver(approval_status=ApprovalStatus.PENDING)
    rejected = await service.driver(approval_status=ApprovalStatus.REJECTED)
    suspended = await service.driver(status=UserStatus.SUSPENDED)
    banned = await service.driver(status=UserStatus.BANNED)

    assert await refused_online(pending) == (403, "driver_not_approved")
    assert await refused_online(rejected) == (403, "driver_not_approved")
    assert await refused_online(suspended) == (403, "account_not_active")
    assert await refused_online(banned) == (403, "account_not_active")


async def test_an_approval_that_arrives_within_the_wait_is_enough(service: Stack) -> None:
    driver = await service.driver(approval_status=ApprovalStatus.PENDING)
    asking = asyncio.create_task(driver.put(f"/drivers/{driver.id}/availability", {"online": True}))

    await service.learn(profile_of(driver.id, UserType.DRIVER, version=2))

    assert (await asking).status_code == 200


async def test_a_suspended_passenger_cannot_ask_for_a_ride(service: Stack) -> None:
    passenger = await service.passenger(status=UserStatus.SUSPENDED)

    answer = await passenger.post("/rides", trip(), key=str(new_id()))

    assert (answer.status_code, answer.json()["code"]) == (403, "account_not_active")


async def test_a_profile_that_has_not_arrived_is_waited_for_and_then_refused(service: Stack) -> None:
    driver, passenger = service.stranger("driver"), service.stranger("passenger")

    online = await driver.put(f"/drivers/{driver.id}/availability", {"online": True})
    accept = await driver.accept(str(new_id()))
    ride = await passenger.post("/rides", trip(), key=str(new_id()))

    for answer in (online, accept, ride):
        assert (answer.status_code, answer.json()["code"]) == (409, "not_yet_known")
        assert answer.headers["Retry-After"] == "1"


async def test_a_profile_that_arrives_within_the_wait_is_enough(service: Stack) -> None:
    passenger = service.stranger("passenger")
    asking = asyncio.create_task(passenger.post("/rides", trip(), key=str(new_id())))

    await service.learn(profile_of(passenger.id, UserType.PASSENGER))

    assert (await asking).status_code == 201


async def test_a_driver_suspended_after_the_offer_cannot_accept(service: Stack) -> None:
    passenger, driver = await service.passenger(), await service.driver_online()
    ride = await passenger.request_ride()
    await eventually(driver.offers)
    await service.learn(profile_of(driver.id, UserType.DRIVER, version=2, status=UserStatus.SUSPENDED))

    answer = await driver.accept(ride["id"])

    assert (answer.status_code, answer.json()["code"]) == (403, "account_not_active")
    assert (await passenger.ride(ride["id"]))["status"] == "OFFERED"


async def test_going_off_duty_withdraws_the_open_offers(service: Stack) -> None:
    passenger, driver = await service.passenger(), await service.driver_online()
    ride = await passenger.request_ride()
    await eventually(driver.offers)

    answer = await driver.put(f"/drivers/{driver.id}/availability", {"online": False})

    assert answer.json() == {"online": False, "status": "offline"}
    assert await driver.offers() == []
    [withdrawn] = await service.facts(OfferCanceled)
    assert withdrawn.reason is OfferEnd.DRIVER_GONE
    assert (await passenger.ride(ride["id"]))["status"] == "SEARCHING"


async def test_a_trip_goes_on_when_its_driver_goes_off_duty(service: Stack) -> None:
    passenger, driver = await service.passenger(), await service.driver_online()
    ride = await passenger.request_ride()
    await eventually(driver.offers)
    await driver.accept(ride["id"])

    off = await driver.put(f"/drivers/{driver.id}/availability", {"online": False})

    assert off.json() == {"online": False, "status": "on_trip"}
    for verb in ("arrive", "start", "complete"):
        assert (await driver.post(f"/rides/{ride['id']}/{verb}")).status_code == 200
    [row] = await service.sql("SELECT status, online FROM driver_states")
    assert (row["status"], row["online"]) == ("offline", False)


async def test_a_busy_driver_is_offered_nothing(service: Stack) -> None:
    first, second, driver = (
        await service.passenger(),
        await service.passenger(),
        await service.driver_online(),
    )
    ride = await first.request_ride()
    await eventually(driver.offers)
    await driver.accept(ride["id"])

    await waved(service, (await second.request_ride())["id"])

    assert await driver.offers() == []


async def test_only_the_category_asked_for_is_offered(service: Stack) -> None:
    passenger = await service.passenger()
    standard, comfort = (
        await service.driver_online(),
        await service.driver_online(category=VehicleCategory.COMFORT),
    )

    await passenger.request_ride(category="comfort")

    await eventually(comfort.offers)
    assert await standard.offers() == []


async def test_the_circle_grows_only_as_far_as_it_may(service: Stack) -> None:
    passenger = await service.passenger()
    near = await service.driver_online((PAULISTA[0] + 0.055, PAULISTA[1]))
    far = await service.driver_online((PAULISTA[0] + 0.3, PAULISTA[1]))

    ride = await passenger.request_ride()

    [offer] = await eventually(near.offers)
    assert 5000 < offer["pickup_distance_m"] < 7000
    assert await far.offers() == []
    [row] = await service.sql("SELECT radius_m FROM rides WHERE id = $1", ride["id"])
    assert row["radius_m"] == service.settings.max_radius_m


async def test_a_driver_has_only_so_many_offers_at_once(open_stack: OpenStack) -> None:
    service = await open_stack(inflight_cap=1)
    first, second, driver = (
        await service.passenger(),
        await service.passenger(),
        await service.driver_online(),
    )
    await first.request_ride()
    await eventually(driver.offers)

    await waved(service, (await second.request_ride())["id"])

    assert len(await driver.offers()) == 1


async def test_a_silent_driver_is_not_found(open_stack: OpenStack, valkey_url: str) -> None:
    service = await open_stack()
    passenger, [driver] = await service.passenger(), await service.fleet(1)
    await service.sql("UPDATE driver_states SET located_at = now() - interval '10 minutes'")
    async with valkey.asyncio.Valkey.from_url(valkey_url) as client:
        await client.delete(f"dispatch:pos:{driver.id}")

    await waved(service, (await passenger.request_ride())["id"])

    assert await driver.offers() == []


async def test_a_flushed_valkey_heals_from_postgres(open_stack: OpenStack, valkey_url: str) -> None:
    service = await open_stack()
    passenger, driver = await service.passenger(), await service.driver_online()
    await flush_positions(service.deps)
    async with valkey.asyncio.Valkey.from_url(valkey_url) as client:
        await client.flushdb()

        await passenger.request_ride()

        await eventually(driver.offers)
        assert await client.zcard("dispatch:geo:standard") == 1


async def test_a_whole_ride_works_without_valkey(open_stack: OpenStack) -> None:
    service = await open_stack(valkey_url="redis://127.0.0.1:1", location_flush_s=0.05)
    passenger, driver = await service.passenger(), await service.driver_online()

    ride = await passenger.request_ride()

    await eventually(driver.offers)
    assert (await driver.accept(ride["id"])).status_code == 200
    for verb in ("arrive", "start", "complete"):
        assert (await driver.post(f"/rides/{ride['id']}/{verb}")).status_code == 200


async def test_a_valkey_that_hangs_in_the_middle_only_costs_time(
    open_stack: OpenStack, valkey_url: str, tcp_proxy: Callable[[str], Any]
) -> None:
    address, _, number = valkey_url.removeprefix("redis://").partition("/")
    proxy = await tcp_proxy(address)
    service = await open_stack(valkey_url=f"redis://{proxy.address}/{number}", location_flush_s=0.05)
    passenger, driver = await service.passenger(), await service.driver_online()
    ride = await passenger.request_ride()
    await eventually(driver.offers)

    proxy.half_open()
    accepted = await driver.accept(ride["id"])

    assert accepted.status_code == 200
    located = await driver.post(f"/drivers/{driver.id}/location", {"lat": PAULISTA[0], "lon": PAULISTA[1]})
    assert located.status_code == 202


async def test_points_that_cannot_be_true_are_dropped(service: Stack) -> None:
    driver = await service.driver()
    path, now = f"/drivers/{driver.id}/location", service.deps.now()

    def point(seconds: float, **changes: Any) -> dict[str, Any]:
        at = (now + timedelta(seconds=seconds)).isoformat()
        return {"lat": PAULISTA[0], "lon": PAULISTA[1], "recorded_at": at, **changes}

    answer = await driver.post(
        path,
        {
            "points": [
                point(-30),
                point(-20, accuracy_m=500),
                point(-19, lat=PAULISTA[0] + 1),
                point(-600),
                point(-10),
                point(600),
            ]
        },
    )

    assert answer.status_code == 202
    assert answer.json() == {"accepted": 2}
    await flush_positions(service.deps)
    [row] = await service.sql("SELECT located_at FROM driver_states")
    assert row["located_at"] == now + timedelta(seconds=-10)


async def test_a_location_is_validated(service: Stack) -> None:
    driver = await service.driver()
    for body in ({"lat": 91, "lon": 0}, {"lat": 1}, {"points": []}, {"lat": 1, "lon": 1, "x": 1}):
        answer = await driver.post(f"/drivers/{driver.id}/location", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), body


async def test_an_older_position_never_replaces_a_newer_one(service: Stack) -> None:
    [driver] = await service.fleet(1)
    now = service.deps.now()
    for seconds in (5, 1):
        at = now + timedelta(seconds=seconds)
        point = Point(place=Place(lat=seconds, lon=0), recorded_at=at)
        async with service.deps.transaction() as tx:
            await tx.drivers.store_positions([DriverPosition(driver_id=driver.id, point=point)], now=now)

    [row] = await service.sql("SELECT current_lat::float AS lat FROM driver_states")
    assert row["lat"] == 5


async def test_a_ride_is_dispatched_once_however_many_processes_look(open_stack: OpenStack) -> None:
    service = await open_stack(dispatch_poll_s=30.0, wave_size=1)
    passenger, drivers = await service.passenger(), await service.fleet(3)
    await passenger.request_ride()

    await asyncio.gather(*(dispatch_due(service.deps) for _ in range(5)))

    async def offers() -> int:
        return sum([len(await driver.offers()) for driver in drivers])

    await eventually(offers)
    assert await offers() == 1
