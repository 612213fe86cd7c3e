"""The books beside the bank's statement, and a driver's statement beside their balance."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from contracts.payment import StatementLine, StatementLineKind
from journeys.cases import open_cases, resolve
from journeys.conftest import Until, World
from journeys.test_refunds import money_of, paid_ride, refund
from kernel.business_day import business_day
from kernel.ids import new_id
from kernel.money import split
from proof.evidence import settled
from storage import Database, DatabaseSettings, Transaction

PLANTED = Decimal("123.45")


async def publish_today(world: World) -> dict[str, Any]:
    """The statement of the day so far, published by the admin.

    The day is every journey's of the session: what is planted here comes after the test that wants none.
    """
    body = {"day": business_day(datetime.now(UTC)).isoformat()}
    answer = await world.admin.post("/admin/reconciliation/statements", body)
    published: dict[str, Any] = answer.expect(200).body
    return published


async def today(world: World) -> dict[str, Any] | None:
    """How the statement of the day so far compares with the books; None before the ledger has all of it."""
    day = business_day(datetime.now(UTC)).isoformat()
    answer = await world.admin.get(f"/admin/reconciliation/days/{day}")
    return None if answer.status == 404 else answer.expect(200).body


async def test_a_days_statement_matches_the_books_line_by_line(world: World, until: Until) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    charge = await paid_ride(world, passenger, driver)
    await refund(world, charge, split(Decimal(charge["amount"]), weights=(1, 1))[0])
    await passenger.socket.wait("payment.refunded", ride_id=charge["ride_id"])
    await settled(world.stack, timeout_s=20)

    published = await publish_today(world)

    async def all_matched() -> bool:
        day = await today(world)
        return day is not None and (
            day["statement"]["lines"] == day["statement"]["matched"] == published["lines"]
        )

    await until(all_matched)
    day = await today(world)
    assert day is not None
    assert (day["difference"], day["books"]["entries_alone"]) == ("0.00", 0)
    assert day["statement"]["came_in"] == day["books"]["came_in"] == published["came_in"]
    assert published["lines"] > 0


async def test_a_line_that_the_books_do_not_know_opens_a_case_that_a_person_resolves(
    world: World, until: Until
) -> None:
    """Planted: the statement of the day gets a line of money that never reached us."""
    await world.admin.log_in()
    await publish_today(world)
    before = len(await open_cases(world, "missing_in_ledger"))
    line = await plant_a_line(world)

    async def case_is_open() -> bool:
        return len(await open_cases(world, "missing_in_ledger")) == before + 1

    await until(case_is_open)
    [case] = [case for case in await open_cases(world, "missing_in_ledger") if case["line_id"] == line]
    assert Decimal(case["amount"]) == PLANTED
    day = await today(world)
    assert day is not None
    assert day["statement"]["matched"] < day["statement"]["arrived"]

    await resolve(world, case, "explained")

    assert len(await open_cases(world, "missing_in_ledger")) == before
    settled_day = await today(world)
    assert settled_day is not None
    assert (settled_day["books"], settled_day["cases"]) == (day["books"], day["cases"]), "nothing is edited"
    assert settled_day["open_cases"] == day["open_cases"] - 1


async def plant_a_line(world: World) -> str:
    """Through payment's own outbox, as its relay finds it; the line's id."""
    now = datetime.now(UTC)
    line = StatementLine(
        day=business_day(now).isoformat(),
        line_id=f"planted:{new_id().hex}",
        kind=StatementLineKind.PIX_RECEIVED,
        amount=PLANTED,
        e2e_id=f"E{new_id().int % 10**31:031d}",
        occurred_at=now,
    )
    addresses = DatabaseSettings(database_url=world.stack.database("payment"))
    database = Database(addresses, service="payment", make=Transaction)
    try:
        async with database.transaction() as tx:
            await tx.publish(line)
    finally:
        await database.dispose()
    return line.line_id


async def test_a_webhook_that_lies_about_the_amount_credits_nothing_and_opens_a_case(
    world: World, until: Until
) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ride_id = await world.driven(passenger, driver)
    charge = (await passenger.charge_of(ride_id))["data"]
    await world.bank.webhooks("drop")
    e2e_id = await world.bank.pay(charge["txid"], amount="0.01")
    lie = {"endToEndId": e2e_id, "txid": charge["txid"], "valor": charge["amount"]}
    await world.bank.forge(lie | {"horario": datetime.now(UTC).isoformat()})

    async def case_is_open() -> bool:
        return len(await open_cases(world, "claim_other_amount")) == 1

    await until(case_is_open)
    assert (await passenger.get(f"/rides/{ride_id}/payment")).body["status"] == "PENDING"
    assert (await driver.balance())["total"] == "0.00"
    [case] = await open_cases(world, "claim_other_amount")
    await resolve(world, case, "explained")


async def test_a_drivers_statement_ends_at_their_balance(world: World, until: Until) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    charge = await paid_ride(world, passenger, driver)

    async def credited() -> bool:
        return (await money_of(driver))["available"] > 0

    await until(credited)
    available = (await money_of(driver))["available"]
    payout = (await driver.ask_payout(f"{available:.2f}")).expect(201).body
    await driver.socket.wait("payout.completed", payout_id=payout["id"])
    await refund(world, charge, Decimal(charge["amount"]))

    async def owes() -> bool:
        money = await money_of(driver)
        return (money["receivable"], money["on_hold"]) == (available, Decimal(0))

    await until(owes)
    day = business_day(datetime.now(UTC)).isoformat()
    statement = (await driver.get(f"/drivers/{driver.id}/statement?from={day}&to={day}")).expect(200).body
    balance = await driver.balance()
    names = ("available", "on_hold", "total", "receivable")
    assert {name: statement["closing"][name] for name in names} == {name: balance[name] for name in names}
    for name in names:
        changes = sum((Decimal(line["change"][name]) for line in statement["lines"]), Decimal(0))
        assert Decimal(statement["opening"][name]) + changes == Decimal(statement["closing"][name])
    assert len(statement["lines"]) >= 4
