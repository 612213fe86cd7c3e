"""Sessions end when they should, everywhere."""

import asyncio
from time import monotonic

from journeys.conftest import World

WITHIN_S = 5.0


async def refused_within(world: World, token: str, path: str = "/me") -> float:
    """How long the token still worked, in seconds."""
    started = monotonic()
    async with asyncio.timeout(WITHIN_S * 2):
        while (await world.api.call("GET", path, token=token)).status != 401:
            await asyncio.sleep(0.1)
    return monotonic() - started


async def test_a_suspended_driver_is_out_everywhere_within_five_seconds(world: World) -> None:
    driver = await world.driver()
    (await world.admin.post(f"/admin/users/{driver.id}/suspend", {"reason": "complaint"})).expect(200)
    started = monotonic()
    paths = ("/me", f"/drivers/{driver.id}/balance", "/payouts", f"/drivers/{driver.id}/offers")
    times = await asyncio.gather(*(refused_within(world, driver.token, path) for path in paths))
    assert max(times) < WITHIN_S
    assert await driver.socket.closed(timeout_s=WITHIN_S) == 4401
    assert monotonic() - started < WITHIN_S
    await driver_cannot_log_in(world, driver.registration)
    (await world.admin.post(f"/admin/users/{driver.id}/reinstate", {"reason": "cleared"})).expect(200)
    await driver.log_in()
    assert (await driver.get("/me")).status == 200


async def driver_cannot_log_in(world: World, registration: dict[str, str]) -> None:
    body = {"login": registration["email"], "password": registration["password"]}
    assert (await world.api.call("POST", "/auth/login", body=body)).status in {401, 403}


async def test_logging_out_kills_the_session_and_no_other(world: World) -> None:
    passenger = await world.passenger()
    old_token, old_refresh = passenger.token, passenger.refresh_token
    await passenger.log_in()
    (await world.api.call("POST", "/auth/logout", token=old_token, body={})).expect(204)
    assert await refused_within(world, old_token) < WITHIN_S
    again = await world.api.call("POST", "/auth/refresh", body={"refresh_token": old_refresh})
    assert again.status == 401
    assert (await passenger.get("/me")).status == 200


async def test_a_stolen_refresh_token_ends_the_family(world: World) -> None:
    passenger = await world.passenger()
    stolen = passenger.refresh_token
    tokens = [stolen]
    for _ in range(2):
        answer = await world.api.call("POST", "/auth/refresh", body={"refresh_token": tokens[-1]})
        tokens.append(answer.expect(200).body["refresh_token"])
    assert (await world.api.call("POST", "/auth/refresh", body={"refresh_token": stolen})).status == 401
    assert (await world.api.call("POST", "/auth/refresh", body={"refresh_token": tokens[-1]})).status == 401


async def test_what_the_admin_did_is_in_the_audit_log(world: World) -> None:
    driver = await world.driver(online=False)
    (await world.admin.post(f"/admin/users/{driver.id}/ban", {"reason": "fraud"})).expect(200)
    async with asyncio.timeout(10):
        while True:
            page = (await world.admin.get(f"/audit/logs?entity_id={driver.id}&limit=50")).expect(200).body
            actions = {row["action"] for row in page["data"]}
            if {"approve_driver", "ban_user"} <= actions:
                break
            await asyncio.sleep(0.1)
    record = next(row for row in page["data"] if row["action"] == "ban_user")
    assert record["changes"]["after"]["status"] == "banned"
    assert record["ip_address"] == "127.0.0.1"
    assert driver.registration["cpf"] not in str(page)
