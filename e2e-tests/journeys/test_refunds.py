"""Money that goes back: to the passenger by an admin or by rule, and to us from a driver's bank."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from journeys.cases import open_cases, resolve
from journeys.conftest import Until, World
from kernel.ids import new_id
from kernel.money import split
from proof.evidence import query
from simulator.actors import Driver, Passenger
from simulator.api import new_key

Money = dict[str, Decimal]


async def paid_ride(world: World, passenger: Passenger, driver: Driver) -> dict[str, Any]:
    """The charge of a ride that was driven and paid: `payment_id`, `ride_id`, `txid`, `amount`."""
    ride_id = await world.paid(passenger, driver)
    charge: dict[str, Any] = (await passenger.charge_of(ride_id))["data"]
    return charge


async def refund(world: World, charge: dict[str, Any], amount: Decimal) -> str:
    """Asked for by the admin; the refund's id."""
    path = f"/admin/payments/{charge['payment_id']}/refunds"
    body = {"amount": f"{amount:.2f}", "reason": "goodwill"}
    return str((await world.admin.post(path, body, key=new_key())).expect(201).body["id"])


async def money_of(driver: Driver) -> Money:
    balance = await driver.balance()
    return {name: Decimal(balance[name]) for name in ("available", "on_hold", "total", "receivable")}


def is_so(read: Callable[[], Awaitable[Money]], **wanted: Decimal) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        found = await read()
        return all(found[name] == amount for name, amount in wanted.items())

    return check


async def driver_part(world: World, charge: dict[str, Any], of: Decimal) -> Decimal:
    """What the driver gives back of so much of a payment: as much as they had of it, in proportion."""
    [row] = await query(
        world.stack,
        "payment",
        "SELECT amount, commission FROM payment_intents WHERE id = $1::uuid",
        charge["payment_id"],
    )
    return split(of, weights=(row["commission"], row["amount"] - row["commission"]))[1]


async def test_a_partial_refund_takes_its_part_from_commission_and_driver(world: World, until: Until) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    charge = await paid_ride(world, passenger, driver)
    whole = Decimal(charge["amount"])
    earned = await driver_part(world, charge, whole)
    await until(is_so(lambda: money_of(driver), available=earned))
    part = split(whole, weights=(1, 2))[0]

    await refund(world, charge, part)

    frame = await passenger.socket.wait("payment.refunded", ride_id=charge["ride_id"])
    assert Decimal(frame["data"]["amount"]) == part
    left = earned - await driver_part(world, charge, part)
    await until(is_so(lambda: money_of(driver), available=left, receivable=Decimal(0)))
    assert (await passenger.get(f"/rides/{charge['ride_id']}")).body["status"] == "PAID"

    await refund(world, charge, whole - part)
    await until(is_so(lambda: money_of(driver), available=Decimal(0), receivable=Decimal(0)))


async def test_a_refund_after_the_payout_is_owed_and_netted_from_the_next_earnings(
    world: World, until: Until
) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    charge = await paid_ride(world, passenger, driver)
    earned = await driver_part(world, charge, Decimal(charge["amount"]))
    await until(is_so(lambda: money_of(driver), available=earned))
    payout = (await driver.ask_payout(f"{earned:.2f}")).expect(201).body
    await driver.socket.wait("payout.completed", payout_id=payout["id"])

    await refund(world, charge, Decimal(charge["amount"]))
    await until(is_so(lambda: money_of(driver), available=Decimal(0), receivable=earned))

    other = await world.passenger()
    next_charge = await paid_ride(world, other, driver)
    more = await driver_part(world, next_charge, Decimal(next_charge["amount"]))
    netted = min(more, earned)
    await until(is_so(lambda: money_of(driver), available=more - netted, receivable=earned - netted))


async def test_a_refund_that_efi_rejects_late_changes_nothing_and_can_be_asked_for_again(
    world: World, until: Until
) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    charge = await paid_ride(world, passenger, driver)
    whole = Decimal(charge["amount"])
    earned = await driver_part(world, charge, whole)
    await until(is_so(lambda: money_of(driver), available=earned))
    await world.bank.refunds("reject_later")

    first = await refund(world, charge, whole)

    async def status_is(refund_id: str, status: str) -> bool:
        listed = (await world.admin.get(f"/admin/payments/{charge['payment_id']}/refunds")).expect(200).body
        return bool({one["id"]: one["status"] for one in listed["data"]}[refund_id] == status)

    await until(lambda: status_is(first, "FAILED"))
    assert (await money_of(driver))["available"] == earned

    async def cases() -> list[dict[str, Any]]:
        found = await open_cases(world, "refund_failed")
        return [case for case in found if case["reference"] == charge["payment_id"]]

    async def a_person_is_told() -> bool:
        return len(await cases()) == 1

    await until(a_person_is_told)
    [case] = await cases()
    assert Decimal(case["amount"]) == whole
    await resolve(world, case, "explained")
    second = await refund(world, charge, whole)
    await until(lambda: status_is(second, "REFUNDED"))
    await until(is_so(lambda: money_of(driver), available=Decimal(0)))


async def test_a_second_payment_of_a_ride_goes_back_by_itself(world: World, until: Until) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    charge = await paid_ride(world, passenger, driver)
    second = await world.bank.pay(charge["txid"], force=True)

    async def gone_back() -> bool:
        done = [one for one in (await world.bank.state())["refunds"] if one["endToEndId"] == second]
        return [(one["valor"], one["status"]) for one in done] == [(charge["amount"], "DEVOLVIDO")]

    await until(gone_back)

    async def credit_is_gone() -> bool:
        rows = await query(world.stack, "ledger", CREDIT_SQL, passenger.id)
        return bool(rows[0]["entries"] >= 2 and rows[0]["credit"] == 0)

    await until(credit_is_gone)
    assert (await passenger.get(f"/rides/{charge['ride_id']}")).body["status"] == "PAID"


CREDIT_SQL = """
SELECT count(*) AS entries,
       coalesce(sum(CASE e.entry_type WHEN 'CREDIT' THEN e.amount ELSE -e.amount END), 0) AS credit
FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
WHERE a.code = '2200' AND e.passenger_id = $1::uuid
"""


async def test_an_unpaid_ride_blocks_the_next_request_until_it_is_paid(world: World) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ride_id = await world.driven(passenger, driver)
    charge = await passenger.charge_of(ride_id)

    refused = await passenger.post("/rides", world.trip(), key=new_key())
    assert (refused.status, refused.code) == (409, "unpaid_ride_exists")

    await world.bank.pay(charge["data"]["txid"])
    await passenger.socket.wait("ride.paid", ride_id=ride_id)
    await world.paid(passenger, driver)


async def test_a_payout_that_comes_back_in_parts_is_the_drivers_again(world: World, until: Until) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    charge = await paid_ride(world, passenger, driver)
    earned = await driver_part(world, charge, Decimal(charge["amount"]))
    await until(is_so(lambda: money_of(driver), available=earned))
    payout = (await driver.ask_payout(f"{earned:.2f}")).expect(201).body
    await driver.socket.wait("payout.completed", payout_id=payout["id"])
    [row] = await query(
        world.stack, "payout", "SELECT id_envio FROM payouts WHERE id = $1::uuid", payout["id"]
    )
    first, rest = split(earned, weights=(1, 3))

    await world.bank.give_back(row["id_envio"], f"{first:.2f}")
    await until(is_so(lambda: money_of(driver), available=first))
    await world.bank.give_back(row["id_envio"], f"{rest:.2f}")
    await until(is_so(lambda: money_of(driver), available=earned))

    assert (await driver.get(f"/payouts/{payout['id']}")).body["status"] == "RETURNED"


@pytest.mark.parametrize("amount", ["0.01", "1.00"])
async def test_a_refund_of_what_nobody_paid_is_not_found(world: World, amount: str) -> None:
    await world.admin.log_in()
    path = f"/admin/payments/{new_id()}/refunds"
    answer = await world.admin.post(path, {"amount": amount, "reason": "typo"}, key=new_key())
    assert answer.status == 404
