"""The public door: order of checks, errors, and what must never be reachable."""

import json
from urllib.request import urlopen

import pytest

from journeys.conftest import World

PUBLIC = {
    ("POST", "/auth/register"), ("POST", "/auth/login"), ("POST", "/auth/refresh"), ("POST", "/auth/logout"),
    ("GET", "/.well-known/jwks.json"), ("GET", "/me"), ("PUT", "/drivers/{}/availability"),
    ("POST", "/drivers/{}/location"), ("PUT", "/drivers/{}/pix-key"), ("GET", "/drivers/{}/offers"),
    ("POST", "/rides/quote"), ("POST", "/rides"), ("GET", "/rides/{}"), ("GET", "/rides/active"),
    ("GET", "/rides/history"), ("POST", "/rides/{}/accept"), ("POST", "/rides/{}/reject"),
    ("POST", "/rides/{}/arrive"), ("POST", "/rides/{}/start"), ("POST", "/rides/{}/complete"),
    ("POST", "/rides/{}/cancel"), ("POST", "/rides/{}/rating"), ("POST", "/payments/intent"),
    ("GET", "/rides/{}/payment"), ("POST", "/admin/payments/{}/refunds"), ("GET", "/drivers/{}/balance"),
    ("GET", "/drivers/{}/financials"), ("POST", "/payouts"), ("GET", "/payouts"), ("GET", "/payouts/{}"),
    ("GET", "/admin/drivers/pending"), ("POST", "/admin/drivers/{}/approve"),
    ("POST", "/admin/drivers/{}/reject"), ("POST", "/admin/users/{}/suspend"),
    ("POST", "/admin/users/{}/reinstate"), ("POST", "/admin/users/{}/ban"), ("GET", "/audit/logs"),
    ("POST", "/ws/tickets"),
}  # fmt: skip


def test_the_merged_document_has_every_public_call(world: World) -> None:
    with urlopen(f"{world.stack.gateway}/openapi.json", timeout=10) as response:
        document = json.load(response)
    described = {(method.upper(), _bare(path)) for path, item in document["paths"].items() for method in item}
    assert PUBLIC - described == set()


def _bare(path: str) -> str:
    parts = path.removeprefix("/v1").split("/")
    return "/".join("{}" if part.startswith("{") else part for part in parts)


@pytest.mark.parametrize(
    "path",
    ["/internal/revocations", "/webhooks/efi", "/webhooks/efi/pix", "/metrics", "/_control/state", "/nope"],
)
async def test_what_is_not_public_does_not_exist(world: World, path: str) -> None:
    answer = await world.api.call("POST", path, body={})
    assert (answer.status, answer.code) == (404, "not_found")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) >= {"type", "title", "status", "detail", "instance", "code", "request_id"}


async def test_checks_come_in_their_order(world: World) -> None:
    passenger = await world.passenger()
    assert (await world.api.call("DELETE", "/rides")).status == 405
    assert (await world.api.call("POST", "/rides", body={})).status == 401
    assert (await passenger.post("/payouts", {}, key="k")).status == 403
    missing = await passenger.post("/rides", world.trip())
    assert (missing.status, missing.code) == (400, "idempotency_key_required")
    nowhere = await passenger.post("/rides", world.trip() | {"pickup_lat": 0, "pickup_lon": 0}, key="k")
    assert nowhere.status == 422
    unknown = await passenger.post("/rides", world.trip() | {"fare": "0.01"}, key="k")
    assert unknown.status == 422
    assert unknown.body["errors"][0]["pointer"]


async def test_errors_speak_portuguese_and_english(world: World) -> None:
    portuguese = await world.api.call("GET", "/me")
    english = await world.api.call("GET", "/me", headers={"Accept-Language": "en"})
    assert portuguese.code == english.code
    assert portuguese.body["title"] != english.body["title"]


async def test_a_key_is_not_worth_another_request(world: World) -> None:
    passenger = await world.passenger()
    await passenger.request_ride(world.trip(), key="same")
    other = await passenger.post("/rides", world.trip(), key="same")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
