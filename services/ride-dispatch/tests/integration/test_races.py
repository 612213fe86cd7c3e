"""Who wins when several want the same thing at the same time: Postgres says, with or without Valkey."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from dispatch_stack import OpenStack, Person, Stack, trip

from contracts.ride_dispatch import OfferCanceled, OfferEnd, RideAccepted, RideCanceled
from kernel.ids import new_id
from ride_dispatch.usecases.expire_offers import expire_offers
from testkit import eventually

CONTENDERS = 200
POOL = {"database_pool_size": 5, "database_max_overflow": 5, "database_pool_timeout_s": 60}


async def offered_to_all(service: Stack, *, count: int) -> tuple[Person, list[Person], str]:
    passenger = await service.passenger()
    drivers = await service.fleet(count)
    ride = await passenger.request_ride()

    async def all_offered() -> bool:
        [row] = await service.sql("SELECT count(*) AS n FROM ride_offers WHERE response IS NULL")
        return bool(row["n"] == count)

    await eventually(all_offered, timeout_s=20, what="every driver is offered the ride")
    return passenger, drivers, ride["id"]


def codes(answers: list[Any]) -> Counter[tuple[int, str | None]]:
    return Counter((answer.status_code, answer.json().get("code")) for answer in answers)


@pytest.mark.parametrize("with_valkey", [True, False], ids=["with valkey", "without valkey"])
async def test_of_two_hundred_accepts_exactly_one_wins(open_stack: OpenStack, with_valkey: bool) -> None:
    options: dict[str, Any] = {} if with_valkey else {"valkey_url": None}
    service = await open_stack(wave_size=CONTENDERS, offer_ttl_s=120, **POOL, **options)
    passenger, drivers, ride_id = await offered_to_all(service, count=CONTENDERS)

    answers = await asyncio.gather(*(driver.accept(ride_id) for driver in drivers))

    assert codes(answers) == {(200, None): 1, (409, "ride_not_available"): CONTENDERS - 1}
    winner = next(d for d, answer in zip(drivers, answers, strict=True) if answer.status_code == 200)
    assert (await passenger.ride(ride_id))["driver_id"] == str(winner.id)
    assert len(await service.facts(RideAccepted)) == 1
    withdrawn = await service.facts(OfferCanceled)
    assert {fact.reason for fact in withdrawn} == {OfferEnd.TAKEN}
    assert {fact.driver_id for fact in withdrawn} == {d.id for d in drivers if d is not winner}
    attempts = await service.sql("SELECT status, count(*) AS n FROM ride_accept_attempts GROUP BY status")
    assert {row["status"]: row["n"] for row in attempts} == {"SUCCESS": 1, "FAILED": CONTENDERS - 1}


async def test_the_winner_may_ask_again(open_stack: OpenStack) -> None:
    service = await open_stack()
    _, [driver], ride_id = await offered_to_all(service, count=1)
    first = await driver.accept(ride_id, key="one")

    same_key = await driver.accept(ride_id, key="one")
    other_key = await driver.accept(ride_id, key="two")

    assert first.status_code == same_key.status_code == other_key.status_code == 200
    assert same_key.json() == first.json()
    assert same_key.headers["Idempotency-Replayed"] == "true"
    assert other_key.json() == first.json()
    assert len(await service.facts(RideAccepted)) == 1
    rows = await service.sql("SELECT idempotency_key FROM ride_accept_attempts ORDER BY 1")
    assert [row["idempotency_key"] for row in rows] == [f"{driver.id}:one", f"{driver.id}:two"]


async def test_a_key_may_come_in_the_header_or_the_body_but_must_agree(open_stack: OpenStack) -> None:
    service = await open_stack()
    _, [driver], ride_id = await offered_to_all(service, count=1)
    path = f"/rides/{ride_id}/accept"

    none = await driver.post(path)
    differ = await driver.post(path, {"idempotency_key": "a"}, key="b")
    body = await driver.post(path, {"idempotency_key": "a"})
    header = await driver.post(path, key="a")

    assert (none.status_code, none.json()["code"]) == (400, "idempotency_key_required")
    assert differ.status_code == 422
    assert body.status_code == 200
    assert (header.content, header.headers["Idempotency-Replayed"]) == (body.content, "true")


async def test_a_driver_who_was_never_offered_the_ride_gets_the_losers_answer(open_stack: OpenStack) -> None:
    service = await open_stack()
    _, _, ride_id = await offered_to_all(service, count=1)
    stranger = await service.driver()

    answer = await stranger.accept(ride_id)
    unknown = await stranger.accept(str(new_id()))

    assert (answer.status_code, answer.json()["code"]) == (409, "ride_not_available")
    assert unknown.status_code == 404


async def test_accept_and_cancel_never_both_win(open_stack: OpenStack) -> None:
    service = await open_stack()
    for _ in range(5):
        passenger, [driver], ride_id = await offered_to_all(service, count=1)

        cancel, accept = await asyncio.gather(
            passenger.post(f"/rides/{ride_id}/cancel", {"reason": "changed_mind"}), driver.accept(ride_id)
        )

        # A cancel after the accept is lawful, an accept after the cancel is not.
        assert cancel.status_code == 200
        assert accept.status_code in (200, 409)
        assert (await passenger.ride(ride_id))["status"] == "CANCELED"
        [row] = await service.sql("SELECT current_ride_id FROM driver_states WHERE driver_id = $1", driver.id)
        assert row["current_ride_id"] is None
        await driver.put(f"/drivers/{driver.id}/availability", {"online": False})
    assert len(await service.facts(RideCanceled)) == 5


async def test_a_driver_cannot_win_two_rides_at_once(open_stack: OpenStack) -> None:
    service = await open_stack(inflight_cap=10)
    [driver] = await service.fleet(1)
    passengers = [await service.passenger() for _ in range(5)]
    rides = await asyncio.gather(*(passenger.request_ride() for passenger in passengers))

    async def offered_all() -> bool:
        return len(await driver.offers()) == len(rides)

    await eventually(offered_all, what="all rides are offered")

    answers = await asyncio.gather(*(driver.accept(ride["id"]) for ride in rides))

    assert codes(answers) == {(200, None): 1, (409, "ride_not_available"): len(rides) - 1}
    [row] = await service.sql("SELECT count(*) AS n FROM rides WHERE driver_id = $1", driver.id)
    assert row["n"] == 1


async def test_the_unique_index_stops_a_second_active_ride_of_a_driver(open_stack: OpenStack) -> None:
    """Even when the driver's own row has forgotten the first: the index is the last word."""
    service = await open_stack(inflight_cap=10)
    [driver] = await service.fleet(1)
    first, second = await service.passenger(), await service.passenger()
    rides = [await first.request_ride(), await second.request_ride()]

    async def offered_both() -> bool:
        return len(await driver.offers()) == 2

    await eventually(offered_both)
    assert (await driver.accept(rides[0]["id"])).status_code == 200
    await service.sql("UPDATE driver_states SET current_ride_id = NULL, status = 'available'")

    answer = await driver.accept(rides[1]["id"])

    assert (answer.status_code, answer.json()["code"]) == (409, "ride_not_available")
    rows = await service.sql("SELECT failure_reason FROM ride_accept_attempts WHERE status = 'FAILED'")
    assert [row["failure_reason"] for row in rows] == ["driver_busy"]


async def test_expiry_and_accept_never_both_win(open_stack: OpenStack) -> None:
    service = await open_stack(offer_ttl_s=600, search_ttl_s=600)
    for _ in range(5):
        passenger, [driver], ride_id = await offered_to_all(service, count=1)
        await service.sql("UPDATE ride_offers SET expires_at = now() + interval '1 hour'")

        async def expire(ride_id: str = ride_id) -> int:
            async with service.deps.transaction() as tx:
                later = service.deps.now() + timedelta(hours=2)
                return await expire_offers(tx, ride_id=UUID(ride_id), now=later)

        accept, expired = await asyncio.gather(driver.accept(ride_id), expire())

        assert (accept.status_code == 200) == (expired == 0)
        status = (await passenger.ride(ride_id))["status"]
        assert status == "ACCEPTED" if accept.status_code == 200 else status in ("SEARCHING", "OFFERED")
        await passenger.post(f"/rides/{ride_id}/cancel", {"reason": "other"})
        await driver.put(f"/drivers/{driver.id}/availability", {"online": False})


async def test_fifty_requests_of_one_passenger_make_one_ride(open_stack: OpenStack) -> None:
    service = await open_stack(**POOL)
    passenger = await service.passenger()

    answers = await asyncio.gather(*(passenger.post("/rides", trip(), key=str(new_id())) for _ in range(50)))

    assert codes(answers) == {(201, None): 1, (409, "active_ride_exists"): 49}


async def test_one_key_fifty_times_makes_one_ride(open_stack: OpenStack) -> None:
    service = await open_stack(**POOL)
    passenger = await service.passenger()

    answers = await asyncio.gather(*(passenger.post("/rides", trip(), key="tap") for _ in range(50)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"request_in_progress"}


async def test_two_drivers_who_leave_while_rides_end_never_wait_for_each_other(open_stack: OpenStack) -> None:
    service = await open_stack(inflight_cap=10)
    drivers = await service.fleet(4)
    passengers = [await service.passenger() for _ in range(4)]
    rides = await asyncio.gather(*(passenger.request_ride() for passenger in passengers))

    async def offered_all() -> bool:
        return all([len(await driver.offers()) == 4 for driver in drivers])

    await eventually(offered_all)

    answers = await asyncio.gather(
        *(driver.put(f"/drivers/{driver.id}/availability", {"online": False}) for driver in drivers),
        *(
            passenger.post(f"/rides/{ride['id']}/cancel", {"reason": "other"})
            for passenger, ride in zip(passengers[:2], rides[:2], strict=True)
        ),
    )

    assert {answer.status_code for answer in answers} == {200}
    [row] = await service.sql("SELECT count(*) AS n FROM ride_offers WHERE response IS NULL")
    assert row["n"] == 0
    statuses = await service.sql("SELECT status, count(*) AS n FROM rides GROUP BY status")
    assert {row["status"]: row["n"] for row in statuses} == {"CANCELED": 2, "SEARCHING": 2}
