"""Every operation of the merged document against everybody who may try it: roles, owners, and the order of checks.

The rows come from `schemas/openapi/public.json`: an operation that is added is tried, and one whose path names
an object without an owner here fails the test that counts them.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from journeys.conftest import World
from simulator.actors import Driver, Passenger, make_driver

DOCUMENT = Path(__file__).parents[2] / "schemas" / "openapi" / "public.json"
BODY_LIMIT_BYTES = 1_048_576
EVERYBODY = ("passenger", "driver", "admin")

# What happens to a stranger of a role that the operation lets in. An offer may be lost but not another's
# (`accept` and `reject` answer 409), and an admin may see and decide about everybody.
ANOTHERS = 404
NOT_AN_OWNERS: Mapping[tuple[str, str], int] = {
    ("POST", "/rides/{ride_id}/accept"): 409,
    ("POST", "/rides/{ride_id}/reject"): 409,
}
# Their path names an object, and who owns it is looked for before the body is read.
OWNED_BEFORE_BODY = {
    ("PUT", "/drivers/{driver_id}/availability"),
    ("POST", "/drivers/{driver_id}/location"),
    ("PUT", "/drivers/{driver_id}/pix-key"),
    ("POST", "/rides/{ride_id}/cancel"),
    ("POST", "/rides/{ride_id}/complete"),
    ("POST", "/rides/{ride_id}/rating"),
}

# Objects that only admins may name, and who is asking is looked at first: whether they exist does not matter here.
NOBODYS: Mapping[str, str] = {
    "journal_id": "01a20cd1-0049-7497-a306-6aaa2fdd5a9d",
    "proposal_id": "01a20cd1-0049-7497-a306-6aaa2fdd5a9d",
    "case_id": "01a20cd1-0049-7497-a306-6aaa2fdd5a9d",
    "e2e_id": "E0908935620261124120000000000000",
    "code": "1100",
    "day": "2026-01-01",
}


@dataclass(frozen=True)
class Row:
    method: str
    path: str
    roles: tuple[str, ...]
    needs_key: bool
    has_body: bool

    def at(self, ids: Mapping[str, str]) -> str:
        path = self.path
        for name, value in ids.items():
            path = path.replace(f"{{{name}}}", value)
        return path


def rows() -> Iterator[Row]:
    for path, item in json.loads(DOCUMENT.read_text())["paths"].items():
        for method, operation in item.items():
            headers = {
                parameter["name"]
                for parameter in operation.get("parameters", ())
                if parameter.get("required")
            }
            yield Row(
                method=method.upper(),
                path=path.removeprefix("/v1"),
                roles=tuple(operation.get("x-roles", ())),
                needs_key="Idempotency-Key" in headers,
                has_body="requestBody" in operation,
            )


PROTECTED = [row for row in rows() if row.roles]
OPEN_TO_ALL = {
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("GET", "/.well-known/jwks.json"),
}


@dataclass(frozen=True)
class Cast:
    """One ride, paid for, with its two parties; a passenger and a driver who have nothing to do with it."""

    tokens: Mapping[str, str]
    strangers: Mapping[str, str]
    ids: Mapping[str, str]
    refresh_token: str


async def cast_of(world: World) -> Cast:
    passenger, stranger, driver, other = await asyncio.gather(
        world.passenger(), world.passenger(), world.driver(), world.driver(online=False)
    )
    ride_id = await world.driven(passenger, driver)
    charge = await passenger.charge_of(ride_id)
    payout = await paid_out(world, passenger, driver, charge["data"]["txid"], ride_id)
    return Cast(
        tokens={"passenger": passenger.token, "driver": driver.token, "admin": world.admin.token},
        strangers={"passenger": stranger.token, "driver": other.token},
        ids={
            "ride_id": ride_id,
            "driver_id": driver.id,
            "user_id": passenger.id,
            "payment_id": charge["data"]["payment_id"],
            "payout_id": payout,
            **NOBODYS,
        },
        refresh_token=passenger.refresh_token,
    )


async def paid_out(world: World, passenger: Passenger, driver: Driver, txid: str, ride_id: str) -> str:
    await world.bank.pay(txid)
    await passenger.socket.wait("ride.paid", ride_id=ride_id)
    async with asyncio.timeout(20):
        while (answer := await driver.ask_payout("1.00")).status != 201:
            await asyncio.sleep(0.1)
    return str(answer.body["id"])


async def raw(
    world: World, row: Row, path: str, *, token: str | None, data: bytes | None = None, key: bool = True
) -> tuple[int, str | None]:
    """Status and code of one call whose body is sent as it is."""
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if key:
        headers["Idempotency-Key"] = str(uuid4())
    url = f"{world.stack.gateway}/v1{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(row.method, url, data=BytesIO(data) if data else None, headers=headers) as response,
    ):
        text = await response.text()
        if response.status >= 400:
            assert response.content_type == "application/problem+json", (row, text)
        body = json.loads(text) if text else {}
        return response.status, body.get("code") if isinstance(body, dict) else None


def test_only_these_calls_need_no_token() -> None:
    assert {(row.method, row.path) for row in rows() if not row.roles} == OPEN_TO_ALL


async def test_roles_owners_and_bodies_are_checked_in_their_order(world: World) -> None:
    cast = await cast_of(world)
    wrong: list[str] = []
    for row in PROTECTED:
        wrong += [f"{row.method} {row.path}: {what}" for what in await broken_rules(world, row, cast)]
    assert wrong == []


async def broken_rules(world: World, row: Row, cast: Cast) -> list[str]:
    path = row.at(cast.ids)
    assert "{" not in path, f"nobody owns the object of {row}"
    checks = [
        *tokens_that_are_none(cast),
        *((role, cast.tokens[role], 403, b"{bad") for role in EVERYBODY if role not in row.roles),
        *strangers(row, cast),
        *bad_bodies(row, cast),
    ]
    broken = []
    for who, token, expected, data in checks:
        status, code = await raw(world, row, path, token=token, data=data if row.has_body else None)
        if status != expected:
            broken.append(f"{who} got {status} {code}, not {expected}")
    if row.needs_key:
        status, code = await raw(world, row, path, token=cast.tokens[row.roles[0]], data=b"{}", key=False)
        if (status, code) != (400, "idempotency_key_required"):
            broken.append(f"without a key: {status} {code}")
    return broken


Check = tuple[str, str | None, int, bytes | None]


def tokens_that_are_none(cast: Cast) -> Iterator[Check]:
    yield "anonymous", None, 401, b"{bad"
    yield "a refresh token", cast.refresh_token, 401, b"{bad"
    header, claims, _ = cast.tokens["admin"].split(".")
    yield "an unsigned token", f"{header}.{claims}.", 401, b"{bad"


def strangers(row: Row, cast: Cast) -> Iterator[Check]:
    """Those whom the role lets in and the object does not; admins are nobody's strangers."""
    if "{" not in row.path:
        return
    for role, token in cast.strangers.items():
        if role in row.roles:
            early = (row.method, row.path) in OWNED_BEFORE_BODY
            expected = NOT_AN_OWNERS.get((row.method, row.path), ANOTHERS)
            yield f"another {role}", token, expected, b"{bad" if early else None


def bad_bodies(row: Row, cast: Cast) -> Iterator[Check]:
    """From a caller who may call: too large, no JSON, and a field that nobody knows."""
    if not row.has_body:
        return
    token = cast.tokens[row.roles[0]]
    yield "a mebibyte and a byte", token, 413, b"a" * (BODY_LIMIT_BYTES + 1)
    yield "no JSON", token, 400, b'{"reason":'
    yield "NaN", token, 400, b'{"amount": NaN}'
    yield "an unknown field", token, 422, b'{"surprise": 1}'
    yield "NUL in a text", token, 422, b'{"reason": "a\\u0000b"}'


async def test_a_driver_who_waits_for_approval_drives_nothing(world: World) -> None:
    passenger = await world.passenger()
    waiting = make_driver(world.api, world.people)
    await waiting.register()
    await waiting.log_in()
    ride = await passenger.request_ride(world.trip())
    accepted = await waiting.accept(ride["id"])
    online = await world.api.settled(
        "PUT", f"/drivers/{waiting.id}/availability", token=waiting.token, body={"online": True}
    )
    assert (accepted.status, accepted.code) == (403, "driver_not_approved")
    assert (online.status, online.code) == (403, "driver_not_approved")
    assert (await waiting.get(f"/rides/{ride['id']}")).status == 404
    await passenger.cancel(ride["id"])


@pytest.mark.parametrize(
    "path",
    [
        "//internal/revocations",
        "/rides/..%2finternal%2frevocations",
        "/rides/%2e%2e/internal/revocations",
        "/v1/rides/active",
        "/rides/active/",
        "/rides//active",
        "/RIDES/active",
        "/rides/active%00",
        "/drivers/..%2f..%2finternal/balance",
        f"/rides/{'a' * 129}",
    ],
)
async def test_no_spelling_of_a_path_reaches_what_is_not_public(world: World, path: str) -> None:
    status, head = await exchanged(world, f"GET /v1{path} HTTP/1.1")
    assert status == 404
    assert b"application/problem+json" in head.lower()


async def exchanged(world: World, request_line: str) -> tuple[int, bytes]:
    """Status and head of a request whose line no client library has tidied up."""
    address = world.stack.gateway.removeprefix("http://")
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{request_line}\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), timeout=10)
    writer.close()
    await writer.wait_closed()
    head = answer.split(b"\r\n\r\n", 1)[0]
    return int(head.split(b" ", 2)[1]), head


CANARIES: tuple[str, ...] = ("email", "phone", "cpf", "cnh_number", "pix_key", "password", "full_name")


async def test_no_log_tells_who_the_people_are(world: World, stack_folder: Path) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    await world.paid(passenger, driver)
    ticket: dict[str, Any] = (await passenger.post("/ws/tickets")).expect(201).body
    told = {
        person.registration[name]
        for person in (passenger, driver)
        for name in CANARIES
        if name in person.registration
    }
    told |= {passenger.token, passenger.refresh_token, ticket["ticket"], str(driver.place[0])}
    # The relay and the consumers have worked by now: the passenger has heard of the payment.
    logs = "".join(file.read_text(errors="replace") for file in (stack_folder / "logs").glob("*.log"))
    assert passenger.id in logs
    assert [value for value in told if value in logs] == []
