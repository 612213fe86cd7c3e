"""What can go wrong with a Pix and a payout: nothing is lost, nothing counts twice."""

import asyncio
from decimal import Decimal

import pytest

from journeys.conftest import Until, World
from proof.evidence import query
from simulator.actors import Driver


async def test_a_dropped_webhook_is_found_by_the_janitor(world: World) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ride_id = await world.driven(passenger, driver)
    charge = await passenger.charge_of(ride_id)
    await world.bank.webhooks("drop")
    e2e_id = await world.bank.pay(charge["data"]["txid"])
    await passenger.socket.wait("payment.confirmed", ride_id=ride_id)
    [row] = await query(world.stack, "payment", "SELECT source FROM received_pix WHERE e2e_id = $1", e2e_id)
    assert row["source"] == "janitor"


async def test_a_webhook_delivered_three_times_counts_once(world: World, until: Until) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ride_id = await world.driven(passenger, driver)
    charge = await passenger.charge_of(ride_id)
    await world.bank.webhooks("duplicate")
    e2e_id = await world.bank.pay(charge["data"]["txid"])
    await passenger.socket.wait("ride.paid", ride_id=ride_id)

    async def all_three_processed() -> bool:
        rows = await query(
            world.stack, "payment", "SELECT outcome FROM webhook_events WHERE e2e_id = $1", e2e_id
        )
        return sorted(str(row["outcome"]) for row in rows) == ["confirmed", "duplicate", "duplicate"]

    await until(all_three_processed)

    async def posted_once() -> bool:
        events = await query(
            world.stack, "ledger", "SELECT 1 FROM financial_events WHERE external_id = $1", e2e_id
        )
        return len(events) == 1

    await until(posted_once)


@pytest.mark.parametrize(
    ("paid", "confirms", "credited"), [("surplus", True, Decimal("5.00")), ("short", False, Decimal("1.00"))]
)
async def test_a_pix_of_another_amount_is_credited_to_the_passenger(
    world: World, until: Until, paid: str, confirms: bool, credited: Decimal
) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ride_id = await world.driven(passenger, driver)
    charge = await passenger.charge_of(ride_id)
    fare = Decimal(charge["data"]["amount"])
    amount = fare + credited if paid == "surplus" else credited
    await world.bank.pay(charge["data"]["txid"], amount=f"{amount:.2f}")
    await until(lambda: _credit_is(world, passenger.id, credited))
    payment = (await passenger.get(f"/rides/{ride_id}/payment")).expect(200).body
    assert payment["status"] == ("CONFIRMED" if confirms else "PENDING")


async def _credit_is(world: World, passenger_id: str, amount: Decimal) -> bool:
    rows = await query(
        world.stack,
        "ledger",
        "SELECT coalesce(sum(CASE e.entry_type WHEN 'CREDIT' THEN e.amount ELSE -e.amount END), 0) AS credit"
        " FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id"
        " WHERE a.code = '2200' AND e.passenger_id = $1::uuid",
        passenger_id,
    )
    return bool(rows[0]["credit"] == amount)


async def test_a_second_pix_for_a_paid_charge_is_the_passengers_also_without_a_webhook(
    world: World, until: Until
) -> None:
    """It goes back by itself soon (test_refunds.py), so that what is looked for is the entry, not the balance."""
    passenger, driver = await world.passenger(), await world.driver()
    ride_id = await world.driven(passenger, driver)
    charge = await passenger.charge_of(ride_id)
    await world.bank.pay(charge["data"]["txid"])
    await passenger.socket.wait("ride.paid", ride_id=ride_id)
    await world.bank.webhooks("drop")
    e2e_id = await world.bank.pay(charge["data"]["txid"], force=True)

    async def credited() -> bool:
        rows = await query(
            world.stack,
            "ledger",
            "SELECT e.amount FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id"
            " WHERE a.code = '2200' AND e.passenger_id = $1::uuid AND e.entry_type = 'CREDIT'"
            " AND e.reference_number = $2",
            passenger.id,
            e2e_id,
        )
        return [row["amount"] for row in rows] == [Decimal(charge["data"]["amount"])]

    await until(credited)


async def earned(world: World, until: Until) -> tuple[Driver, str]:
    """A driver with one ride's money, and how much that is."""
    passenger, driver = await world.passenger(), await world.driver()
    await world.paid(passenger, driver)

    async def credited() -> bool:
        return Decimal((await driver.balance())["available"]) > 0

    await until(credited)
    return driver, (await driver.balance())["available"]


async def test_a_rejected_payout_comes_back_to_the_balance(world: World, until: Until) -> None:
    driver, amount = await earned(world, until)
    await world.bank.sends("reject_later")
    payout = (await driver.ask_payout(amount)).expect(201).body
    frame = await driver.socket.wait("payout.failed", payout_id=payout["id"])
    assert frame["data"]["reason"] == "rejected_by_bank"

    async def released() -> bool:
        balance = await driver.balance()
        return (balance["available"], balance["on_hold"]) == (amount, "0.00")

    await until(released)


@pytest.mark.parametrize("mode", ["timeout_before", "timeout_after", "error_500"])
async def test_a_payout_whose_answer_was_lost_goes_out_once(world: World, until: Until, mode: str) -> None:
    driver, amount = await earned(world, until)
    await world.bank.sends(mode)
    payout = (await driver.ask_payout(amount)).expect(201).body
    await driver.socket.wait("payout.completed", timeout_s=60, payout_id=payout["id"])
    [row] = await query(
        world.stack, "payout", "SELECT id_envio FROM payouts WHERE id = $1::uuid", payout["id"]
    )
    sends = [send for send in (await world.bank.state())["sends"] if send["idEnvio"] == row["id_envio"]]
    assert [send["status"] for send in sends] == ["REALIZADO"]


async def test_ten_payouts_racing_for_one_balance_pay_it_once(world: World, until: Until) -> None:
    driver, amount = await earned(world, until)
    answers = await asyncio.gather(*(driver.ask_payout(amount) for _ in range(10)))
    assert {answer.status for answer in answers} <= {201, 422}

    async def ended() -> bool:
        rows = await query(
            world.stack, "payout", "SELECT status FROM payouts WHERE driver_id = $1::uuid", driver.id
        )
        return {row["status"] for row in rows} <= {"COMPLETED", "FAILED"}

    await until(ended)
    rows = await query(
        world.stack,
        "payout",
        "SELECT sum(amount) FILTER (WHERE status = 'COMPLETED') AS paid FROM payouts WHERE driver_id = $1::uuid",
        driver.id,
    )
    assert f"{rows[0]['paid']:.2f}" == amount

    async def left_the_books() -> bool:
        balance = await driver.balance()
        return (balance["available"], balance["on_hold"]) == ("0.00", "0.00")

    await until(left_the_books)


async def test_a_refund_goes_back_to_the_passenger(world: World, until: Until) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ride_id = await world.paid(passenger, driver)
    payment = (await passenger.get(f"/rides/{ride_id}/payment")).expect(200).body
    path = f"/admin/payments/{payment['id']}/refunds"
    whole = {"amount": payment["amount"], "reason": "goodwill"}
    (await world.admin.post(path, whole, key="r1")).expect(201)
    await passenger.socket.wait("payment.refunded", ride_id=ride_id)
    beyond = await world.admin.post(path, {"amount": "0.01", "reason": "again"}, key="r2")
    assert (beyond.status, beyond.code) == (422, "refund_exceeds_payment")

    async def refunded() -> bool:
        ride = (await passenger.get(f"/rides/{ride_id}")).body
        balance = await driver.balance()
        return bool((ride["status"], balance["total"]) == ("REFUNDED", "0.00"))

    await until(refunded)
