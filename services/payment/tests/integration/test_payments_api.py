"""The payment of a ride over HTTP, on a real database."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import httpx
import pytest
from payment_fakes import a_pix
from payment_harness import Payment

from kernel.ids import new_id
from payment.domain.received import Source
from payment.domain.ride import Ride
from payment.effects.apply_received import apply_received
from payment.effects.submit_charges import submit_charges
from payment.effects.submit_refunds import submit_refunds
from payment.usecases.follow_ride import follow_ride
from testkit import published


async def post_intent(payment: Payment, ride: Ride, *, key: str | None = None) -> httpx.Response:
    headers = payment.as_(ride.passenger_id, "passenger") | {"Idempotency-Key": key or str(uuid4())}
    return await payment.client.post("/payments/intent", json={"ride_id": str(ride.id)}, headers=headers)


async def test_a_passenger_opens_a_payment_and_pays_with_the_code(payment: Payment) -> None:
    ride = await payment.completed_ride()
    made = await post_intent(payment, ride)
    assert made.status_code == 201
    assert (made.json()["amount"], made.json()["status"], made.json()["pix"]) == ("50.00", "PENDING", None)

    await submit_charges(payment.deps)
    again = await post_intent(payment, ride)
    assert again.status_code == 200
    pix = again.json()["pix"]
    assert pix["status"] == "ACTIVE"
    assert pix["qr_code"].startswith("data:image/png;base64,")

    await apply_received(payment.deps, received=a_pix(txid=pix["txid"]), source=Source.WEBHOOK)
    seen = await payment.client.get(
        f"/rides/{ride.id}/payment", headers=payment.as_(ride.passenger_id, "passenger")
    )
    assert (seen.json()["status"], seen.json()["pix"]["status"]) == ("CONFIRMED", "COMPLETED")


async def test_fifty_requests_with_one_key_open_one_payment(payment: Payment) -> None:
    ride = await payment.completed_ride()
    answers = await asyncio.gather(*(post_intent(payment, ride, key="k") for _ in range(50)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in made}) == 1
    replay = await post_intent(payment, ride, key="k")
    assert replay.headers["Idempotency-Replayed"] == "true"
    assert replay.content == made[0].content


async def test_fifty_requests_with_fifty_keys_open_one_payment(payment: Payment) -> None:
    ride = await payment.completed_ride()
    answers = await asyncio.gather(*(post_intent(payment, ride) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_an_unfinished_ride_cannot_be_paid_yet(payment: Payment) -> None:
    ride = Ride(id=new_id(), passenger_id=new_id())
    async with payment.deps.transaction() as tx:
        await follow_ride(tx, ride=ride)
    answer = await post_intent(payment, ride)
    assert (answer.status_code, answer.json()["code"]) == (409, "ride_not_payable_yet")


@pytest.mark.parametrize(
    ("make", "status", "code"), [(new_id, 409, "not_yet_known"), (uuid4, 404, "not_found")]
)
async def test_a_ride_whose_facts_may_be_on_their_way_is_not_yet_known(
    payment: Payment, make: Callable[[], UUID], status: int, code: str
) -> None:
    answer = await post_intent(payment, Ride(id=make(), passenger_id=new_id()))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_only_the_parties_see_a_payment_and_only_the_passenger_its_codes(payment: Payment) -> None:
    ride, _, _ = await payment.open_payment()
    await submit_charges(payment.deps)
    path = f"/rides/{ride.id}/payment"
    assert ride.driver_id is not None
    driver = await payment.client.get(path, headers=payment.as_(ride.driver_id, "driver"))
    assert driver.json()["pix"]["pix_copy_paste"] is None
    assert driver.json()["pix"]["qr_code"] is None
    admin = await payment.client.get(path, headers=payment.as_(uuid4(), "admin"))
    assert admin.status_code == 200
    for stranger in ("passenger", "driver"):
        answer = await payment.client.get(path, headers=payment.as_(uuid4(), stranger))
        assert answer.status_code == 404
    assert (await payment.client.get(path)).status_code == 401


async def test_another_passenger_cannot_open_the_payment(payment: Payment) -> None:
    ride = await payment.completed_ride()
    stranger = Ride(id=ride.id, passenger_id=new_id())
    assert (await post_intent(payment, stranger)).status_code == 404


async def refund(payment: Payment, payment_id: UUID, amount: str, *, role: str = "admin") -> httpx.Response:
    headers = payment.as_(uuid4(), role) | {"Idempotency-Key": str(uuid4())}
    body = {"amount": amount, "reason": "goodwill"}
    return await payment.client.post(f"/admin/payments/{payment_id}/refunds", json=body, headers=headers)


async def test_refunds_racing_for_one_payment_never_exceed_it(payment: Payment) -> None:
    _, intent, charge = await payment.open_payment()
    await apply_received(payment.deps, received=a_pix(txid=charge.txid), source=Source.WEBHOOK)
    answers = await asyncio.gather(*(refund(payment, intent.id, "20.00") for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [422] * 8
    assert {a.json()["code"] for a in answers if a.status_code == 422} == {"refund_exceeds_payment"}
    await submit_refunds(payment.deps)
    facts = [fact.fact for fact, _, _ in await published(payment.urls)]
    assert facts.count("payment.refund_requested") == 2


async def test_only_admins_refund(payment: Payment) -> None:
    assert (await refund(payment, new_id(), "1.00", role="passenger")).status_code == 403
    assert (await refund(payment, new_id(), "1.00")).status_code == 404
