"""Requests through a real gateway to a real service."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from gateway_stack import TOKEN, FakeService, Gateway, fake_service, gateway

import web
from gateway.api.docs import ASSETS
from kernel.ids import new_id
from telemetry import tracing
from testkit import FaultProxy, Tokens, eventually

USER = str(new_id())
RIDE = str(new_id())


async def ask(front: Gateway, method: str, path: str, **options: object) -> httpx.Response:
    async with httpx.AsyncClient(base_url=front.url, timeout=30) as client:
        return await client.request(method, path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("prefix", ["", "/v1"])
async def test_a_request_passes_with_and_without_its_version(
    front: Gateway, service: FakeService, tokens: Tokens, prefix: str
) -> None:
    headers = tokens.headers(USER, "passenger") | {"Idempotency-Key": "k-1", "Accept-Language": "en"}
    path = f"{prefix}/rides/{RIDE}/cancel?a=1&b=%C3%A9"
    response = await ask(front, "POST", path, json={"reason": "other"}, headers=headers)
    assert response.status_code == 200
    seen = service.seen[-1]
    assert (seen["method"], seen["path"], seen["query"]) == ("POST", f"/rides/{RIDE}/cancel", "a=1&b=%C3%A9")
    assert json.loads(seen["body"]) == {"reason": "other"}
    assert seen["headers"]["authorization"] == headers["Authorization"]
    assert (seen["headers"]["idempotency-key"], seen["headers"]["accept-language"]) == ("k-1", "en")


async def test_what_a_client_claims_about_itself_is_replaced(
    front: Gateway, service: FakeService, tokens: Tokens
) -> None:
    claims = {
        "X-Ibora-Gateway": "guess",
        "X-Ibora-Client-Address": "203.0.113.1",
        "X_Ibora_Client_Agent": "evil",
        "X-Forwarded-For": "203.0.113.1",
        "Forwarded": "for=203.0.113.1",
        "X-User-Id": USER,
        "X-Role": "admin",
        "User-Agent": "Ibora/1.0",
        "X-Request-Id": "no\tgood",
        "Connection": "keep-alive, X-Secret",
        "X-Secret": "hop",
    }
    await ask(front, "GET", "/me", headers=tokens.headers(USER, "passenger") | claims)
    seen = service.seen[-1]
    assert seen["headers"]["x-ibora-gateway"] == TOKEN
    assert seen["headers"]["x-ibora-client-address"] == "127.0.0.1"
    assert seen["headers"]["x-ibora-client-agent"] == "Ibora/1.0"
    for name in ("x-forwarded-for", "forwarded", "x-user-id", "x-role", "x-secret", "x_ibora_client_agent"):
        assert name not in seen["headers"]
    for name in ("x-ibora-gateway", "x-ibora-client-address", "x-request-id"):
        assert seen["names"].count(name) == 1


async def test_a_trusted_proxy_tells_the_clients_address(
    service: FakeService, tokens: Tokens, tmp_path: Path
) -> None:
    async with gateway(service, tokens, tmp_path, trusted_proxies=("127.0.0.0/8",)) as front:
        headers = tokens.headers(USER, "passenger") | {"X-Forwarded-For": "1.1.1.1, 203.0.113.9"}
        await ask(front, "GET", "/me", headers=headers)
    assert service.seen[-1]["headers"]["x-ibora-client-address"] == "203.0.113.9"


async def test_a_well_formed_request_id_is_kept_all_the_way(
    front: Gateway, service: FakeService, tokens: Tokens
) -> None:
    headers = tokens.headers(USER, "passenger") | {"X-Request-Id": "app-12345678"}
    response = await ask(front, "GET", "/me", headers=headers)
    assert service.seen[-1]["headers"]["x-request-id"] == "app-12345678"
    assert response.headers.get_list("x-request-id") == ["app-12345678"]
    response = await ask(
        front, "GET", "/me", headers=tokens.headers(USER, "passenger") | {"X-Request-Id": "x"}
    )
    assert service.seen[-1]["headers"]["x-request-id"] == response.headers["x-request-id"] != "x"


async def test_an_answer_passes_without_what_is_ours(front: Gateway, tokens: Tokens) -> None:
    response = await ask(front, "GET", "/me?status=409", headers=tokens.headers(USER, "passenger"))
    assert (response.status_code, response.headers["x-from"]) == (409, "any")
    for name in ("x-hop", "server", "x-ibora-inside"):
        assert name not in response.headers
    keys = await ask(front, "GET", "/.well-known/jwks.json")
    assert (keys.status_code, keys.headers["cache-control"]) == (200, "public, max-age=300")


async def test_an_answer_without_a_body_passes(front: Gateway, tokens: Tokens) -> None:
    async with httpx.AsyncClient(base_url=front.url) as client:
        for _ in range(3):
            response = await client.post("/auth/logout?status=204", headers=tokens.headers(USER, "passenger"))
            assert (response.status_code, response.content) == (204, b"")
            assert "transfer-encoding" not in response.headers


async def test_a_trace_goes_on_through_the_gateway(
    front: Gateway, service: FakeService, tokens: Tokens
) -> None:
    memory = tracing.record_spans()
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = tokens.headers(USER, "passenger") | {
        "traceparent": f"00-{trace_id}-b7ad6b7169203331-01",
        "baggage": "user=evil",
    }
    await ask(front, "GET", f"/rides/{RIDE}", headers=headers)
    seen = service.seen[-1]["headers"]
    assert seen["traceparent"].split("-")[1] == trace_id
    assert "baggage" not in seen
    spans = {
        span.name
        for span in memory.get_finished_spans()
        if span.context and span.context.trace_id == int(trace_id, 16)
    }
    assert spans == {"GET /rides/{id}"}


async def test_checks_come_in_the_order_of_the_contract(
    front: Gateway, service: FakeService, tokens: Tokens
) -> None:
    big = b"x" * 1_048_577
    for path in ("/nothing", "/internal/revocations", "/webhooks/efi/pix", "/v1/metrics"):
        response = await ask(front, "POST", path, content=big)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    response = await ask(front, "DELETE", "/rides", content=big)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["allow"] == "POST"
    response = await ask(front, "POST", "/rides", content=big)
    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
        response = await ask(front, "POST", "/rides", content=b"{", headers=headers)
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert response.json()["request_id"] == response.headers["x-request-id"]
    assert not service.seen
    limit = b"x" * 1_048_576
    response = await ask(front, "POST", "/rides", content=limit, headers=tokens.headers(USER, "passenger"))
    assert (response.status_code, len(service.seen[-1]["body"])) == (200, len(limit))


async def test_a_chunked_body_of_forty_megabytes_is_refused(
    front: Gateway, service: FakeService, tokens: Tokens
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(640):
            sent += 65_536
            yield b"x" * 65_536

    async with httpx.AsyncClient(base_url=front.url, timeout=30) as client:
        try:
            response = await client.post(
                "/rides", content=endless(), headers=tokens.headers(USER, "passenger")
            )
        except httpx.WriteError:
            # The gateway hung up while we were still writing: it read no further.
            assert sent < 41_943_040
        else:
            assert response.status_code == 413
    assert not service.seen


async def test_a_chunked_body_within_the_limit_passes(
    front: Gateway, service: FakeService, tokens: Tokens
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'{"a":'
        yield b"1}"

    response = await ask(front, "POST", "/rides", content=parts(), headers=tokens.headers(USER, "passenger"))
    assert response.status_code == 200
    assert service.seen[-1]["body"] == '{"a":1}'
    assert "transfer-encoding" not in service.seen[-1]["headers"]


async def test_an_answer_is_passed_on_as_it_arrives(
    front: Gateway, service: FakeService, tokens: Tokens
) -> None:
    async with httpx.AsyncClient(base_url=front.url) as client:
        async with client.stream("GET", "/audit/logs", headers=tokens.headers(USER, "admin")) as response:
            chunks = response.aiter_bytes()
            assert await anext(chunks) == b"first"
            service.gate.set()
            assert await anext(chunks) == b"second"


async def test_a_service_that_is_down_is_a_503(tokens: Tokens, tmp_path: Path) -> None:
    async with fake_service() as gone:
        pass
    async with gateway(gone, tokens, tmp_path) as front:
        response = await ask(front, "GET", "/me", headers=tokens.headers(USER, "passenger"))
        assert (response.status_code, response.json()["code"]) == (503, "service_unavailable")
        assert response.headers["retry-after"] == "1"


async def test_a_service_without_an_address_is_a_503(tokens: Tokens, tmp_path: Path) -> None:
    async with gateway(None, tokens, tmp_path) as front:
        response = await ask(front, "GET", "/me", headers=tokens.headers(USER, "passenger"))
        assert response.status_code == 503


async def test_a_service_that_dawdles_is_a_504(service: FakeService, tokens: Tokens, tmp_path: Path) -> None:
    async with gateway(service, tokens, tmp_path, upstream_timeout_s=0.2) as front:
        response = await ask(front, "GET", "/rides/history", headers=tokens.headers(USER, "passenger"))
        assert (response.status_code, response.json()["code"]) == (504, "upstream_timeout")


async def test_a_service_that_hangs_up_in_the_middle_ends_the_answer_early(
    service: FakeService, tokens: Tokens, tmp_path: Path
) -> None:
    proxy = await FaultProxy.start(service.url.removeprefix("http://"))
    address = service.url
    service.url = f"http://{proxy.address}"
    try:
        async with (
            gateway(service, tokens, tmp_path) as front,
            httpx.AsyncClient(base_url=front.url) as client,
        ):
            async with client.stream("GET", "/audit/logs", headers=tokens.headers(USER, "admin")) as response:
                chunks = response.aiter_bytes()
                assert await anext(chunks) == b"first"
                await proxy.close()
                with pytest.raises(httpx.RemoteProtocolError):
                    await anext(chunks)
    finally:
        await proxy.close()
        service.url = address


async def test_the_gateway_trusts_revocations_by_itself(
    front: Gateway, service: FakeService, tokens: Tokens
) -> None:
    session_id = new_id()
    revocations = web.Revocations()
    front.app.state.verifier = tokens.verifier(revocations=revocations)
    headers = tokens.headers(USER, "passenger", session_id=session_id)
    assert (await ask(front, "GET", "/me", headers=headers)).status_code == 200
    now = datetime.now(UTC)
    revocations.add(
        [web.Revocation(session_id=session_id, not_before=now, expires_at=now + timedelta(seconds=60))]
    )
    assert (await ask(front, "GET", "/me", headers=headers)).status_code == 401
    assert len(service.seen) == 1


async def test_tokens_and_paths_are_not_logged(
    front: Gateway, tokens: Tokens, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    # As `telemetry.configure` sets it in every process.
    caplog.set_level(logging.CRITICAL, "uvicorn.access")
    caplog.set_level(logging.DEBUG)
    token = tokens.token(USER, "passenger")
    await ask(front, "GET", f"/rides/{RIDE}?secret=canary", headers={"Authorization": f"Bearer {token}"})
    captured = capfd.readouterr()
    ours = "".join(r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore")))
    logged = ours + captured.out + captured.err
    assert "/rides/{id}" in logged
    for secret in (token, "canary", TOKEN, RIDE):
        assert secret not in logged


async def test_probes_are_the_gateways_own(front: Gateway, service: FakeService) -> None:
    for path in ("/health", "/ready", "/metrics"):
        assert (await ask(front, "GET", path)).status_code == 200
    assert "gateway_sockets" in (await ask(front, "GET", "/metrics")).text
    assert not service.seen


async def test_the_merged_document_is_served_and_read_again_when_it_changes(
    service: FakeService, tokens: Tokens, tmp_path: Path
) -> None:
    file = tmp_path / "public.json"
    async with gateway(service, tokens, tmp_path, openapi_file=file) as front:
        assert (await ask(front, "GET", "/openapi.json")).status_code == 404
        for version in ("1", "2"):
            file.write_text(json.dumps({"openapi": "3.1.0", "info": {"version": version}}))
            for path in ("/openapi.json", "/v1/openapi.json"):

                async def served(path: str = path, version: str = version) -> bool:
                    document = (await ask(front, "GET", path)).json()
                    return bool(document["info"]["version"] == version)

                await eventually(served, timeout_s=20)


async def test_the_docs_need_no_other_host(front: Gateway) -> None:
    page = await ask(front, "GET", "/docs")
    assert page.status_code == 200
    assert "http" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for name, kind in (
        ("swagger-ui-bundle.js", "javascript"),
        ("swagger-ui.css", "css"),
        ("docs.js", "javascript"),
    ):
        asset = await ask(front, "GET", f"/docs/assets/{name}")
        assert (asset.status_code, asset.content) == (200, (ASSETS / name).read_bytes())
        assert kind in asset.headers["content-type"]
    for name in ("LICENSE", "..%2fdocs.py", "nothing.js"):
        assert (await ask(front, "GET", f"/docs/assets/{name}")).status_code == 404


async def test_browsers_of_a_named_origin_may_call(
    service: FakeService, tokens: Tokens, tmp_path: Path
) -> None:
    async with gateway(service, tokens, tmp_path, cors_origins=("https://app.ibora.test",)) as front:
        asked = {
            "Origin": "https://app.ibora.test",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, idempotency-key",
        }
        preflight = await ask(front, "OPTIONS", "/v1/rides", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://app.ibora.test"
        refused = await ask(front, "OPTIONS", "/v1/rides", headers=asked | {"Origin": "https://evil.test"})
        assert "access-control-allow-origin" not in refused.headers


async def test_a_hundred_calls_at_once_all_pass(front: Gateway, tokens: Tokens) -> None:
    headers = tokens.headers(USER, "passenger")
    async with httpx.AsyncClient(base_url=front.url, timeout=30) as client:
        responses = await asyncio.gather(*(client.get("/me", headers=headers) for _ in range(100)))
    assert {response.status_code for response in responses} == {200}
