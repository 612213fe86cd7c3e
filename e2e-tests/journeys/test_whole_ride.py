"""From the request to the payout, as both apps live it."""

from decimal import Decimal

from journeys.conftest import Until, World


async def test_a_ride_is_requested_driven_paid_and_paid_out(world: World, until: Until) -> None:
    passenger, driver = await world.passenger(), await world.driver()

    ride = await passenger.request_ride(world.trip())
    offer = await driver.socket.wait("ride.offered", ride_id=ride["id"])
    assert offer["data"]["estimated_fare"] == ride["estimated_fare"]
    listed = (await driver.get(f"/drivers/{driver.id}/offers")).expect(200).body
    rows = listed["data"] if isinstance(listed, dict) else listed
    assert [row["ride_id"] for row in rows] == [ride["id"]]
    accepted = (await driver.accept(ride["id"])).expect(200).body
    assert (accepted["status"], accepted["driver_id"]) == ("ACCEPTED", driver.id)
    frame = await passenger.socket.wait("ride.accepted", ride_id=ride["id"])
    assert frame["data"]["driver"]["full_name"] == driver.registration["full_name"]

    await driver.report()
    position = await passenger.socket.wait("driver.location.updated", ride_id=ride["id"])
    assert "offset" not in position
    completed = await driver.drive(ride["id"])
    assert completed["status"] == "COMPLETED"
    for step in ("ride.driver_arrived", "ride.started", "ride.completed"):
        await passenger.socket.wait(step, ride_id=ride["id"])

    charge = await passenger.charge_of(ride["id"])
    await world.bank.pay(charge["data"]["txid"])
    for person in (passenger, driver):
        await person.socket.wait("payment.confirmed", ride_id=ride["id"])
        await person.socket.wait("ride.paid", ride_id=ride["id"])
    payment = (await passenger.get(f"/rides/{ride['id']}/payment")).expect(200).body
    assert (payment["status"], payment["amount"]) == ("CONFIRMED", completed["final_fare"])

    fare = Decimal(completed["final_fare"])
    share = fare - (fare * 2000 / 10_000).quantize(Decimal("0.01"), rounding="ROUND_DOWN")

    async def credited() -> bool:
        return Decimal((await driver.balance())["available"]) == share

    await until(credited)
    financials = (await driver.get(f"/drivers/{driver.id}/financials")).expect(200).body
    assert (Decimal(financials["earned_today"]), financials["rides_today"]) == (share, 1)

    payout = (await driver.ask_payout(f"{share:.2f}")).expect(201).body
    assert payout["status"] == "PENDING"
    await driver.socket.wait("payout.completed", payout_id=payout["id"])
    seen = (await driver.get(f"/payouts/{payout['id']}")).expect(200).body
    assert seen["status"] == "COMPLETED"
    assert driver.registration["pix_key"] not in str(seen)

    await passenger.rate(ride["id"], stars=5)
    active = (await passenger.get("/rides/active")).expect(200).body["data"]
    history = (await passenger.get("/rides/history")).expect(200).body["data"]
    assert (active, [one["id"] for one in history]) == ([], [ride["id"]])


async def test_nobody_else_sees_the_ride_or_its_money(world: World) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ride_id = await world.paid(passenger, driver)
    stranger, other_driver = await world.passenger(), await world.driver(online=False)
    for person in (stranger, other_driver):
        for path in (f"/rides/{ride_id}", f"/rides/{ride_id}/payment"):
            assert (await person.get(path)).status == 404
        assert (await person.post(f"/rides/{ride_id}/cancel", {"reason": "other"})).status == 404
    for path in (f"/drivers/{driver.id}/balance", f"/drivers/{driver.id}/financials"):
        assert (await other_driver.get(path)).status == 404
        assert (await stranger.get(path)).status == 403
        assert (await world.admin.get(path)).status == 200
    assert (await stranger.get("/audit/logs")).status == 403
