from decimal import Decimal
from typing import Any
from uuid import UUID

from dispatch_stack import PAULISTA, Person, Stack, trip

from contracts.audit import AuditRecorded
from contracts.ride_dispatch import (
    OfferCanceled,
    OfferEnd,
    RideAccepted,
    RideCanceled,
    RideCompleted,
    RideOffered,
    RideReassigning,
    RideRequested,
)
from kernel.ids import new_id
from ride_dispatch.usecases.mark_paid import mark_paid
from ride_dispatch.usecases.mark_payment_pending import mark_payment_pending
from testkit import eventually


async def offered(driver: Person) -> dict[str, Any]:
    offers = await eventually(driver.offers, what="an offer arrives")
    return offers[0]


async def accepted_ride(service: Stack) -> tuple[Person, Person, str]:
    passenger, driver = await service.passenger(), await service.driver_online()
    ride = await passenger.request_ride()
    await offered(driver)
    answer = await driver.accept(ride["id"])
    assert answer.status_code == 200, answer.text
    return passenger, driver, ride["id"]


async def test_a_ride_goes_from_request_to_completion(service: Stack) -> None:
    passenger, driver = await service.passenger(), await service.driver_online()

    ride = await passenger.request_ride()
    assert ride["status"] == "SEARCHING"
    assert ride["ride_id"] == ride["id"]
    offer = await offered(driver)
    assert offer["ride_id"] == ride["id"]
    assert offer["estimated_fare"] == ride["estimated_fare"]
    taken = await driver.accept(ride["id"])
    assert taken.status_code == 200, taken.text
    assert taken.json()["status"] == "ACCEPTED"
    assert taken.json()["driver"]["vehicle"]["license_plate"] == "ABC1D23"
    for verb, status in (("arrive", "DRIVER_ARRIVED"), ("start", "IN_PROGRESS")):
        answer = await driver.post(f"/rides/{ride['id']}/{verb}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == status
    done = await driver.post(f"/rides/{ride['id']}/complete", {"distance_m": 1_000_000})
    assert done.status_code == 200, done.text
    assert done.json()["status"] == "COMPLETED"

    [completed] = await service.facts(RideCompleted)
    assert str(completed.final_fare) == done.json()["final_fare"]
    assert completed.commission_bps == 2000
    assert completed.distance_m < 10_000, "the advisory distance never raises the fare"
    [requested] = await service.facts(RideRequested)
    assert str(requested.ride_id) == ride["id"]
    assert len(await service.facts(RideOffered)) == len(await service.facts(RideAccepted)) == 1
    active = await passenger.get("/rides/active")
    assert active.json()["data"] == []
    history = (await driver.get("/rides/history")).json()
    assert [row["id"] for row in history["data"]] == [ride["id"]]
    assert (await driver.put(f"/drivers/{driver.id}/availability", {"online": True})).json() == {
        "online": True,
        "status": "available",
    }


async def test_a_second_open_ride_of_a_passenger_is_refused(service: Stack) -> None:
    passenger = await service.passenger()
    await passenger.request_ride()

    again = await passenger.post("/rides", trip(), key=str(new_id()))

    assert again.status_code == 409
    assert again.json()["code"] == "active_ride_exists"


async def test_an_unpaid_ride_blocks_the_next_request_until_it_is_paid(service: Stack) -> None:
    passenger, driver, ride_id = await accepted_ride(service)
    for verb in ("arrive", "start"):
        await driver.post(f"/rides/{ride_id}/{verb}")
    fare = (await driver.post(f"/rides/{ride_id}/complete", {})).json()["final_fare"]

    blocked = await passenger.post("/rides", trip(), key="next")
    assert (blocked.status_code, blocked.json()["code"]) == (409, "unpaid_ride_exists")
    async with service.deps.transaction() as tx:
        await mark_payment_pending(tx, ride_id=UUID(ride_id), now=service.deps.now())
    assert (await passenger.post("/rides", trip(), key="other")).json()["code"] == "unpaid_ride_exists"
    async with service.deps.transaction() as tx:
        await mark_paid(tx, ride_id=UUID(ride_id), amount=Decimal(fare), now=service.deps.now())

    again = await passenger.post("/rides", trip(), key="next")
    assert again.status_code == 201, again.text
    assert (await passenger.get("/rides/active")).json()["data"][0]["id"] == again.json()["id"]


async def test_a_repeated_request_answers_the_same_ride(service: Stack) -> None:
    passenger = await service.passenger()
    first = await passenger.post("/rides", trip(), key="tap")

    again = await passenger.post("/rides", trip(), key="tap")
    other = await passenger.post("/rides", trip(category="xl"), key="tap")
    missing = await passenger.post("/rides", trip())

    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_required")
    assert len(await service.facts(RideRequested)) == 1


async def test_a_request_is_validated(service: Stack) -> None:
    passenger = await service.passenger()
    for body in (
        trip(pickup_lat=0, pickup_lon=0),
        trip(dropoff_lat=0, dropoff_lon=0),
        trip(pickup_lat=91),
        trip(pickup_lat="-23.5"),
        trip(pickup_lat=True),
        trip(category="bus"),
        trip(surprise=1),
        {},
    ):
        answer = await passenger.post("/rides", body, key=str(new_id()))
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), answer.text
    equator = await passenger.post("/rides", trip(pickup_lat=0), key=str(new_id()))
    assert equator.status_code == 201


async def test_a_quote_books_at_its_price_and_only_its_own_trip(service: Stack) -> None:
    passenger, other = await service.passenger(), await service.passenger()
    quotes = (await passenger.post("/rides/quote", trip(category="comfort"))).json()["quotes"]
    assert quotes[0]["category"] == "comfort"
    assert len(quotes) == 4
    stolen = await other.post(
        "/rides", trip(category="comfort", quote_id=quotes[0]["quote_id"]), key=str(new_id())
    )
    wrong = await passenger.post("/rides", trip(quote_id=quotes[0]["quote_id"]), key=str(new_id()))

    booked = await passenger.request_ride(category="comfort", quote_id=quotes[0]["quote_id"])

    assert booked["estimated_fare"] == quotes[0]["fare"]
    for refused in (stolen, wrong):
        assert (refused.status_code, refused.json()["code"]) == (422, "quote_mismatch")


async def test_roles_and_owners_are_checked_before_the_body(service: Stack) -> None:
    passenger, driver, ride_id = await accepted_ride(service)
    stranger, other_driver = await service.passenger(), await service.driver()

    assert (await service.client.get("/rides/active")).status_code == 401
    assert (await driver.post("/rides", {}, key="k")).status_code == 403
    assert (await passenger.post(f"/rides/{ride_id}/accept", key="k")).status_code == 403
    assert (await stranger.get(f"/rides/{ride_id}")).status_code == 404
    assert (await stranger.post(f"/rides/{ride_id}/cancel", {"nonsense": 1})).status_code == 404
    assert (await other_driver.post(f"/rides/{ride_id}/arrive")).status_code == 404
    assert (await other_driver.post(f"/rides/{ride_id}/complete", {"x": 1})).status_code == 404
    assert (await other_driver.get(f"/drivers/{driver.id}/offers")).status_code == 404
    assert (await other_driver.put(f"/drivers/{driver.id}/availability", {})).status_code == 404
    assert (await passenger.get("/rides/not-an-id")).status_code == 404
    admin = service.stranger("admin")
    assert (await admin.get(f"/rides/{ride_id}")).json()["id"] == ride_id


async def test_an_illegal_move_is_refused(service: Stack) -> None:
    _, driver, ride_id = await accepted_ride(service)

    for verb in ("start", "complete"):
        answer = await driver.post(f"/rides/{ride_id}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")


async def test_a_passenger_cancels_and_the_offers_are_withdrawn(service: Stack) -> None:
    passenger, driver = await service.passenger(), await service.driver_online()
    ride = await passenger.request_ride()
    await offered(driver)

    answer = await passenger.post(
        f"/rides/{ride['id']}/cancel", {"reason": "changed_mind", "comment": "desculpa"}
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "CANCELED"
    assert (answer.json()["canceled_by"], answer.json()["cancel_reason"]) == ("passenger", "changed_mind")
    assert await driver.offers() == []
    [withdrawn] = await service.facts(OfferCanceled)
    assert withdrawn.reason is OfferEnd.RIDE_CANCELED
    assert len(await service.facts(RideCanceled)) == 1
    late = await driver.accept(ride["id"])
    assert (late.status_code, late.json()["code"]) == (409, "ride_not_available")
    audit = [fact for fact in await service.facts(AuditRecorded) if fact.action == "cancel_ride"]
    assert audit[0].user_id == passenger.id
    assert (await passenger.request_ride())["status"] == "SEARCHING"


async def test_a_ride_under_way_cannot_be_canceled(service: Stack) -> None:
    passenger, driver, ride_id = await accepted_ride(service)
    await driver.post(f"/rides/{ride_id}/arrive")
    await driver.post(f"/rides/{ride_id}/start")

    for person in (passenger, driver):
        answer = await person.post(f"/rides/{ride_id}/cancel", {"reason": "other"})
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")


async def test_a_driver_who_gives_up_is_excluded_and_another_takes_over(service: Stack) -> None:
    passenger, quitter, ride_id = await accepted_ride(service)

    answer = await quitter.post(f"/rides/{ride_id}/cancel", {"reason": "vehicle_problem"})

    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["driver_id"]) == ("SEARCHING", None)
    [reassigning] = await service.facts(RideReassigning)
    assert reassigning.driver_id == quitter.id
    second = await service.driver_online()
    assert (await offered(second))["ride_id"] == ride_id
    assert await quitter.offers() == []
    assert (await quitter.accept(ride_id)).status_code == 409
    assert (await second.accept(ride_id)).status_code == 200
    assert (await passenger.ride(ride_id))["driver_id"] == str(second.id)
    assert (await quitter.get(f"/rides/{ride_id}")).status_code == 404


async def test_a_passenger_who_never_came_ends_the_ride(service: Stack) -> None:
    passenger, driver, ride_id = await accepted_ride(service)
    await driver.post(f"/rides/{ride_id}/arrive")

    answer = await driver.post(f"/rides/{ride_id}/cancel", {"reason": "passenger_no_show"})

    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELED")
    assert (await passenger.ride(ride_id))["canceled_by"] == "driver"


async def test_a_rejected_offer_sends_the_ride_on(service: Stack) -> None:
    passenger, first = await service.passenger(), await service.driver_online()
    ride = await passenger.request_ride()
    await offered(first)

    answer = await first.post(f"/rides/{ride['id']}/reject")
    second = await service.driver_online()

    assert answer.status_code == 204
    assert (await offered(second))["ride_id"] == ride["id"]
    assert (await first.post(f"/rides/{ride['id']}/reject")).status_code == 204
    assert await first.offers() == []
    stranger = await service.driver()
    refused = await stranger.post(f"/rides/{ride['id']}/reject")
    assert (refused.status_code, refused.json()["code"]) == (409, "ride_not_available")
    assert (await stranger.post(f"/rides/{new_id()}/reject")).status_code == 404


async def test_both_sides_rate_a_finished_ride_once(service: Stack) -> None:
    passenger, driver, ride_id = await accepted_ride(service)
    early = await passenger.post(f"/rides/{ride_id}/rating", {"stars": 5})
    for verb in ("arrive", "start", "complete"):
        assert (await driver.post(f"/rides/{ride_id}/{verb}")).status_code == 200

    rated = await passenger.post(f"/rides/{ride_id}/rating", {"stars": 5, "tags": ["gentil"]})
    back = await driver.post(f"/rides/{ride_id}/rating", {"stars": 4, "comment": "ok"})
    again = await passenger.post(f"/rides/{ride_id}/rating", {"stars": 1})
    wrong = await driver.post(f"/rides/{ride_id}/rating", {"stars": 6})

    assert (early.status_code, early.json()["code"]) == (409, "ride_not_ratable")
    assert rated.status_code == back.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "already_rated")
    assert wrong.status_code == 422


async def test_history_is_paged_newest_first(service: Stack) -> None:
    passenger = await service.passenger()
    ids = []
    for _ in range(3):
        ride = await passenger.request_ride()
        await passenger.post(f"/rides/{ride['id']}/cancel", {"reason": "other"})
        ids.append(ride["id"])

    first = (await passenger.get("/rides/history", params={"limit": 2})).json()
    second = (
        await passenger.get("/rides/history", params={"limit": 2, "cursor": first["next_cursor"]})
    ).json()

    assert [ride["id"] for ride in first["data"] + second["data"]] == ids[::-1]
    assert first["has_more"] is True
    assert (second["has_more"], second["next_cursor"]) == (False, None)


async def test_the_first_wave_goes_out_at_once(open_stack: Any) -> None:
    """The API process dispatches its own requests: no poll, no other process."""
    service = await open_stack(dispatch_poll_s=30.0)
    passenger, driver = await service.passenger(), await service.driver_online(PAULISTA)

    await passenger.request_ride()

    await eventually(driver.offers, timeout_s=2)
    [row] = await service.sql(
        "SELECT extract(epoch FROM o.offered_at - r.created_at)::float AS s"
        " FROM ride_offers o JOIN rides r ON r.id = o.ride_id"
    )
    assert row["s"] < 1.0
