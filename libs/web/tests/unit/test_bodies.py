"""Malformed, hostile and huge bodies get a 4xx, quickly."""

import json
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message
from web_samples import OWNED, client_of, make_app, passenger

import web
from web.bodies import capped, parse_json
from web.refusals import MalformedJson, PayloadTooLarge, RequestTimeout

JSON = {"content-type": "application/json"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_app()) as one:
        yield one


HOSTILE = {
    "nothing but a brace": b"{",
    "trailing text": b'{"lat": 1} x',
    "NaN": b'{"lat": NaN}',
    "Infinity": b'{"lat": -Infinity}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "bytes that are no UTF-8": b'{"name": "\xff"}',
    "a deep list": b"[" * 100_000 + b"]" * 100_000,
    "a deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a number with 100,000 digits": b'{"lat": ' + b"9" * 100_000 + b"}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a raw NUL": b'{"name": "\x00"}',
    "single quotes": b"{'lat': 1}",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_is_no_json_is_400(client: httpx.AsyncClient, body: bytes) -> None:
    started = perf_counter()

    response = await client.post(f"/things/{OWNED}", headers={**JSON, **passenger()}, content=body)

    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")
    assert perf_counter() - started < 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"lat": 1e999, "amount": "1.00"}',
        b'{"lat": 1, "amount": 1e999}',
        b'{"lat": 1, "amount": ' + b"9" * 4000 + b"}",
        b'{"lat": ' + b"9" * 4000 + b', "amount": "1.00"}',
        b'{"lat": 1, "amount": "1.00", "name": "a\\u0000b"}',
        b'{"lat": 1, "amount": "1.00", "tags": ["\\u0000"]}',
        b'{"lat": 1, "amount": "1.00", "x\\u0000": 1}',
        b'{"lat": true, "amount": "1.00", "name": 1}',
        b"[]",
        b'"text"',
        b"null",
        b"",
    ],
)
async def test_json_that_is_no_request_of_ours_is_422(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post(f"/things/{OWNED}", headers={**JSON, **passenger()}, content=body)

    assert (response.status_code, response.json()["code"]) == (422, "validation_error")


async def test_a_nul_is_pointed_at(client: httpx.AsyncClient) -> None:
    body = b'{"lat": 1, "amount": "1.00", "tags": ["ok", "\\u0000"], "name": "\\u0000"}'

    response = await client.post(f"/things/{OWNED}", headers={**JSON, **passenger()}, content=body)

    assert [error["pointer"] for error in response.json()["errors"]] == ["/tags/1", "/name"]
    assert response.json()["errors"][0]["detail"] == "O texto contém um caractere proibido."


async def test_an_escaped_backslash_before_u0000_is_no_nul(client: httpx.AsyncClient) -> None:
    response = await client.post("/echo", headers=JSON, content=b'{"a": "\\\\u0000"}')

    assert response.json() == {"value": {"a": "\\u0000"}}


@pytest.mark.parametrize("query", ["name=%00", "name=a%00b", "%00=1"])
async def test_a_nul_in_the_query_is_422(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/things?{query}", headers=passenger())

    assert response.status_code == 422


@pytest.mark.parametrize("path", ["/things/%00", "/things/..%2f..", "/things/%ff", "/%00"])
async def test_an_impossible_path_is_404(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_a_body_that_is_not_declared_as_json_is_not_read_as_such(client: httpx.AsyncClient) -> None:
    body = b'{"lat": 1, "amount": "1.00"}'

    response = await client.post(f"/things/{OWNED}", headers=passenger(), content=body)

    assert response.status_code == 422


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
async def test_no_bytes_make_a_5xx(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post(f"/things/{OWNED}", headers={**JSON, **passenger()}, content=body)

    assert response.status_code in (400, 422)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(st.dictionaries(st.sampled_from(["lat", "amount", "name", "tags", "more"]), VALUES))
async def test_no_json_makes_a_5xx(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    response = await client.post(
        f"/things/{OWNED}", headers={**JSON, **passenger()}, content=json.dumps(body).encode()
    )

    assert response.status_code in (200, 400, 409, 422)


@given(VALUES)
def test_strict_parsing_agrees_with_the_standard_library(value: Any) -> None:
    text = json.dumps(value)
    if "\\u0000" in text or "Infinity" in text:
        return
    assert parse_json(text.encode()) == json.loads(text)


class Script:
    """A `receive` that plays messages."""

    def __init__(self, *messages: Message) -> None:
        self._messages = list(messages)

    async def __call__(self) -> Message:
        return self._messages.pop(0)


def scope(method: str = "POST", **headers: str) -> dict[str, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "headers": raw}


def part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_parts_is_put_together_and_then_the_rest_is_passed_on() -> None:
    script = Script(part(b"ab", more=True), part(b"c", more=False), {"type": "http.disconnect"})

    receive = await capped(scope(), script, limit_bytes=3, timeout_s=1)

    assert await receive() == part(b"abc", more=False)
    assert await receive() == {"type": "http.disconnect"}


@pytest.mark.parametrize("length", ["4", "99999999999999999999"])
async def test_a_declared_length_over_the_limit_is_refused_unread(length: str) -> None:
    with pytest.raises(PayloadTooLarge):
        await capped(scope(content_length=length), Script(), limit_bytes=3, timeout_s=1)


@pytest.mark.parametrize("headers", [{}, {"content_length": "1"}, {"content_length": "x"}])
async def test_what_arrives_is_counted_whatever_was_declared(headers: dict[str, str]) -> None:
    script = Script(part(b"ab", more=True), part(b"cd", more=True))

    with pytest.raises(PayloadTooLarge):
        await capped(scope(**headers), script, limit_bytes=3, timeout_s=1)


async def test_a_body_that_does_not_come_is_408() -> None:
    class Never:
        async def __call__(self) -> Message:
            import asyncio

            await asyncio.Event().wait()
            raise AssertionError

    with pytest.raises(RequestTimeout):
        await capped(scope(), Never(), limit_bytes=3, timeout_s=0.02)


async def test_a_get_without_a_body_is_not_waited_for() -> None:
    script = Script()

    assert await capped(scope("GET"), script, limit_bytes=3, timeout_s=1) is script
    assert await capped(scope(content_length="0"), script, limit_bytes=3, timeout_s=1) is script


@pytest.mark.parametrize("body", [b"", b"nul", b"{,}"])
def test_parsing_raises_a_refusal(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        parse_json(body)


def test_the_limit_is_a_setting() -> None:
    assert web.WebSettings().body_limit_bytes == 1_048_576
