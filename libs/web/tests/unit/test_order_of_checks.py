"""API.md's order: path 404, method 405, size 413, token 401, role 403, another's 404, JSON 400,
validation 422, state 409. Each request below breaks its own rule and every later one."""

from collections.abc import AsyncIterator

import httpx
import pytest
from web_samples import OWNED, TOKENS, client_of, make_app, passenger

MALFORMED = b'{"lat": '
TOO_LARGE = b"[" + b" " * 1_048_576
OTHERS = "/things/01890a5d-0000-774b-bcce-000000000000"
MINE = f"/things/{OWNED}"
DRIVER = TOKENS.headers(OWNED, "driver")
JSON = {"content-type": "application/json"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_app()) as one:
        yield one


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "code"),
    [
        ("POST", "/nothing", {}, TOO_LARGE, 404, "not_found"),
        ("DELETE", OTHERS, {}, TOO_LARGE, 405, "method_not_allowed"),
        ("POST", OTHERS, {}, TOO_LARGE, 413, "payload_too_large"),
        ("POST", OTHERS, {}, MALFORMED, 401, "unauthenticated"),
        ("POST", OTHERS, {"authorization": "Bearer nonsense"}, MALFORMED, 401, "invalid_token"),
        ("POST", OTHERS, DRIVER, MALFORMED, 403, "forbidden"),
        ("POST", OTHERS, passenger(), MALFORMED, 404, "not_found"),
        ("POST", "/things/not-an-id", passenger(), MALFORMED, 404, "not_found"),
        ("POST", MINE, passenger(), MALFORMED, 400, "malformed_json"),
        (
            "POST",
            MINE,
            passenger(),
            b'{"lat": 91, "amount": "1.00", "name": "taken"}',
            422,
            "validation_error",
        ),
        ("POST", MINE, passenger(), b'{"lat": 1, "amount": "1.00", "name": "taken"}', 409, "thing_is_taken"),
    ],
)
async def test_the_first_broken_rule_answers(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    status: int,
    code: str,
) -> None:
    response = await client.request(method, path, headers={**JSON, **headers}, content=body)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_request_that_breaks_none_is_answered(client: httpx.AsyncClient) -> None:
    response = await client.post(MINE, headers=passenger(), json={"lat": 1, "amount": 10.5})

    assert response.status_code == 200
    assert response.json() == {"id": str(OWNED), "amount": "10.50"}


async def test_a_chunked_body_without_a_length_is_counted_before_authentication(
    client: httpx.AsyncClient,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 65_536

    response = await client.post(MINE, content=chunks())

    assert response.status_code == 413


async def test_a_401_challenges_and_a_405_names_the_methods(client: httpx.AsyncClient) -> None:
    anonymous = await client.get("/admin")
    spoilt = await client.get("/admin", headers={"authorization": "Bearer x"})
    wrong_method = await client.delete("/admin")

    assert anonymous.headers["www-authenticate"] == 'Bearer realm="ibora"'
    assert spoilt.headers["www-authenticate"] == 'Bearer realm="ibora", error="invalid_token"'
    assert wrong_method.headers["allow"] == "GET"


async def test_a_trailing_slash_is_another_path(client: httpx.AsyncClient) -> None:
    assert (await client.get("/things/", headers=passenger())).status_code == 404


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token x", "bearer " + "x" * 5000, "Bearer a b"],
)
async def test_an_authorization_that_is_no_bearer_token_is_401(
    client: httpx.AsyncClient, header: str
) -> None:
    response = await client.get("/admin", headers={"authorization": header})

    assert response.status_code == 401


async def test_two_authorization_headers_are_401(client: httpx.AsyncClient) -> None:
    good = TOKENS.headers(OWNED, "admin")["Authorization"]

    response = await client.get("/admin", headers=[("authorization", good), ("authorization", good)])

    assert response.status_code == 401


async def test_without_a_verifier_nobody_gets_in() -> None:
    async with client_of(make_app(verifier=None)) as client:
        response = await client.get("/admin", headers=passenger())

    assert response.status_code == 503
