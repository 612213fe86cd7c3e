"""Rate limits on a real Valkey."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
from gateway_stack import FakeService, gateway

from kernel.ids import new_id
from testkit import FaultProxy, Tokens

RIDE = str(new_id())


async def accept(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    return await client.post(f"/v1/rides/{RIDE}/accept", headers=headers, json={})


async def test_five_accepts_a_minute_are_exact_across_two_gateways(
    service: FakeService, tokens: Tokens, tmp_path: Path, valkey_url: str
) -> None:
    driver, other = tokens.headers(new_id(), "driver"), tokens.headers(new_id(), "driver")
    async with (
        gateway(service, tokens, tmp_path, valkey_url=valkey_url) as one,
        gateway(service, tokens, tmp_path, valkey_url=valkey_url) as two,
        httpx.AsyncClient(base_url=one.url, timeout=30) as first,
        httpx.AsyncClient(base_url=two.url, timeout=30) as second,
    ):
        responses = await asyncio.gather(
            *(accept(client, driver) for _ in range(10) for client in (first, second))
        )
        assert sorted(response.status_code for response in responses) == [200] * 5 + [429] * 15
        refused = next(response for response in responses if response.status_code == 429)
        assert refused.json()["code"] == "rate_limited"
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["ratelimit-policy"] == '"accept";q=5;w=60'
        assert refused.headers["ratelimit"].startswith('"accept";r=0;t=')
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert len(service.seen) == 5
        assert (await accept(second, other)).status_code == 200
        assert (await first.get(f"/v1/rides/{RIDE}", headers=driver)).status_code == 200


async def test_failed_accepts_count_too_and_the_version_is_no_way_around(
    service: FakeService, tokens: Tokens, tmp_path: Path, valkey_url: str
) -> None:
    driver = tokens.headers(new_id(), "driver")
    async with (
        gateway(service, tokens, tmp_path, valkey_url=valkey_url) as front,
        httpx.AsyncClient(base_url=front.url, timeout=30) as client,
    ):
        statuses = []
        for prefix in ("", "/v1", "", "/v1", "", "/v1"):
            path = f"{prefix}/rides/{new_id()}/accept?status=409"
            statuses.append((await client.post(path, headers=driver, json={})).status_code)
        assert statuses == [409] * 5 + [429]


async def test_answers_within_the_limit_say_what_is_left(
    service: FakeService, tokens: Tokens, tmp_path: Path, valkey_url: str
) -> None:
    async with (
        gateway(service, tokens, tmp_path, valkey_url=valkey_url) as front,
        httpx.AsyncClient(base_url=front.url, timeout=30) as client,
    ):
        driver = tokens.headers(new_id(), "driver")
        left = [(await accept(client, driver)).headers["ratelimit"].split(";")[1] for _ in range(3)]
        assert left == ["r=4", "r=3", "r=2"]
        assert '"user"' in (await client.get("/me", headers=driver)).headers["ratelimit-policy"]
        assert '"address"' in (await client.post("/auth/login", json={})).headers["ratelimit-policy"]


async def test_without_valkey_each_gateway_counts_alone_and_nobody_gets_a_500(
    service: FakeService, tokens: Tokens, tmp_path: Path, valkey_url: str
) -> None:
    proxy = await FaultProxy.start(valkey_url.removeprefix("redis://").partition("/")[0])
    number = valkey_url.rpartition("/")[2]
    driver = tokens.headers(new_id(), "driver")
    try:
        async with (
            gateway(service, tokens, tmp_path, valkey_url=f"redis://{proxy.address}/{number}") as front,
            httpx.AsyncClient(base_url=front.url, timeout=30) as client,
        ):
            assert (await accept(client, driver)).status_code == 200
            await proxy.close()
            statuses = [(await accept(client, driver)).status_code for _ in range(6)]
            assert statuses == [200] * 5 + [429]
    finally:
        await proxy.close()


async def test_relaxed_limits_let_everything_through(
    service: FakeService, tokens: Tokens, tmp_path: Path, valkey_url: str
) -> None:
    changes: dict[str, Any] = {"valkey_url": valkey_url, "rate_limits": "relaxed"}
    async with (
        gateway(service, tokens, tmp_path, **changes) as front,
        httpx.AsyncClient(base_url=front.url, timeout=30) as client,
    ):
        driver = tokens.headers(new_id(), "driver")
        responses = [await accept(client, driver) for _ in range(8)]
        assert {response.status_code for response in responses} == {200}
        assert "ratelimit" not in responses[0].headers


async def test_guessing_tokens_uses_up_the_guessers_address(
    service: FakeService, tokens: Tokens, tmp_path: Path, valkey_url: str
) -> None:
    async with (
        gateway(service, tokens, tmp_path, valkey_url=valkey_url, address_per_minute=3) as front,
        httpx.AsyncClient(base_url=front.url, timeout=30) as client,
    ):
        guess = {"Authorization": "Bearer guess"}
        statuses = [(await client.get("/me", headers=guess)).status_code for _ in range(4)]
        assert statuses == [401, 401, 401, 429]
        forged = guess | {"X-Forwarded-For": "203.0.113.1"}
        assert (await client.get("/me", headers=forged)).status_code == 429
        user = tokens.headers(new_id(), "passenger")
        assert (await client.get("/me", headers=user)).status_code == 200
