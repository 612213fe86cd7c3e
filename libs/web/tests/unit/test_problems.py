"""Every error is problem+json, in the reader's language, and says nothing about the inside."""

from collections.abc import AsyncIterator

import httpx
import pytest
from web_samples import OWNED, client_of, make_app, passenger

from web.languages import choose_language

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_app()) as one:
        yield one


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("PUT", "/boom", 405, "method_not_allowed"),
        ("GET", "/admin", 401, "unauthenticated"),
        ("GET", "/early", 409, "not_yet_known"),
        ("GET", "/limited", 429, "rate_limited"),
        ("GET", "/boom", 500, "internal_error"),
        ("GET", "/away", 503, "service_unavailable"),
    ],
)
async def test_every_error_has_the_same_members(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    response = await client.request(method, path)

    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert set(problem) == MEMBERS
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"].endswith(f"/problems/{code}")
    assert problem["instance"] == path
    assert problem["request_id"] == response.headers["x-request-id"]


async def test_the_unexpected_leaks_nothing(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await client.get("/boom")

    assert not any(
        inside in response.text for inside in ("SELECT", "s3cr3t", "Traceback", "RuntimeError", ".py")
    )
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize(("path", "seconds"), [("/early", "1"), ("/limited", "7"), ("/away", "1")])
async def test_what_passes_says_when_to_come_back(client: httpx.AsyncClient, path: str, seconds: str) -> None:
    assert (await client.get(path)).headers["retry-after"] == seconds


async def test_portuguese_is_the_default_and_english_is_there_for_the_asking(
    client: httpx.AsyncClient,
) -> None:
    portuguese = await client.get("/nothing")
    english = await client.get("/nothing", headers={"accept-language": "en-GB,en;q=0.9"})

    assert portuguese.json()["detail"] == "Não encontramos o que você procura."
    assert portuguese.json()["title"] == "Não encontrado"
    assert portuguese.headers["content-language"] == "pt-BR"
    assert english.json()["detail"] == "Not found."
    assert english.headers["content-language"] == "en"
    assert english.headers["vary"] == "Accept-Language"


async def test_a_refusals_own_detail_stays_in_the_log(client: httpx.AsyncClient) -> None:
    body = {"lat": 1, "amount": "1.00", "name": "taken"}

    response = await client.post(f"/things/{OWNED}", headers=passenger(), json=body)

    assert response.json()["detail"] == "Essa coisa já foi."
    assert "for the log only" not in response.text


async def test_validation_names_each_field_and_never_echoes_it(client: httpx.AsyncClient) -> None:
    body = {"lat": "s3cr3t", "amount": 1.005, "tags": [1], "hacker~/": True}

    response = await client.post(f"/things/{OWNED}", headers=passenger(), json=body)

    found = {error["pointer"]: error["code"] for error in response.json()["errors"]}
    assert found == {
        "/lat": "float_parsing",
        "/amount": "invalid_money",
        "/tags/0": "string_type",
        "/hacker~0~1": "extra_forbidden",
    }
    assert "s3cr3t" not in response.text
    assert all(error["detail"] for error in response.json()["errors"])


async def test_ten_thousand_unknown_fields_make_a_short_answer(client: httpx.AsyncClient) -> None:
    body = {f"field_{number}": 1 for number in range(10_000)}

    response = await client.post(f"/things/{OWNED}", headers=passenger(), json=body)

    assert response.status_code == 422
    assert len(response.json()["errors"]) <= 50
    assert len(response.content) < 20_000


async def test_a_socket_ticket_in_the_path_does_not_come_back(client: httpx.AsyncClient) -> None:
    response = await client.get("/ws/s3cr3t-ticket")

    assert response.json()["instance"] == "/ws/***"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "pt-BR"), ("*", "pt-BR"), ("fr", "pt-BR"), ("pt-PT", "pt-BR"), ("en", "en"), ("EN-us", "en"),
        ("fr, en;q=0.5", "en"), ("en;q=0.3, pt;q=0.4", "pt-BR"),
        ("pt;q=0.1, en;q=0.9", "en"), ("en;q=0", "pt-BR"),
        ("en;q=x", "pt-BR"), (";;,,", "pt-BR"), ("x" * 100_000, "pt-BR"),
    ],
)  # fmt: skip
def test_the_language_follows_the_header(header: str, language: str) -> None:
    assert choose_language(header) == language
