"""Sockets through a real gateway."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from gateway_stack import TOKEN, FakeService, Gateway, fake_service, gateway

from gateway.api.sockets import PATHS
from testkit import FaultProxy, Tokens, eventually

TICKET = "canary-ticket_0123456789"


@asynccontextmanager
async def opened(
    front: Gateway, path: str = f"/ws/{TICKET}", **options: object
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{front.socket_url}{path}", **options) as socket:  # type: ignore[arg-type]
            yield socket


async def status_of(front: Gateway, path: str, **options: object) -> tuple[int, dict[str, str]]:
    """The status of a refused handshake and its headers."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with opened(front, path, **options):
            pass
    return refused.value.status, dict(refused.value.headers or {})


@pytest.mark.parametrize("path", PATHS)
async def test_messages_pass_both_ways(front: Gateway, service: FakeService, path: str) -> None:
    async with opened(front, path.replace("{token}", TICKET) + "?epoch=e&offset=7") as socket:
        await socket.send_str('{"type": "ping"}')
        assert (await socket.receive()).data == '{"type": "ping"}'
        await socket.send_bytes(b"\x00\x01")
        assert (await socket.receive()).data == b"\x00\x01"
    assert service.seen[0]["query"] == "epoch=e&offset=7"


async def test_a_handshake_carries_our_claims_and_not_the_clients(
    front: Gateway, service: FakeService
) -> None:
    claims = {
        "X-Ibora-Gateway": "guess",
        "X-Forwarded-For": "203.0.113.1",
        "X-User-Id": "1",
        "User-Agent": "Ibora/1",
    }
    async with opened(front, headers=claims, protocols=("ibora.v1",)) as socket:
        assert socket.protocol == "ibora.v1"
        await socket.send_str("x")
        await socket.receive()
    seen = service.seen[0]["headers"]
    assert (seen["x-ibora-gateway"], seen["x-ibora-client-address"]) == (TOKEN, "127.0.0.1")
    assert seen["x-ibora-client-agent"] == "Ibora/1"
    assert not {"x-forwarded-for", "x-user-id"} & set(seen)


async def test_a_refused_ticket_is_refused_in_the_handshake(front: Gateway, service: FakeService) -> None:
    status, headers = await status_of(front, "/ws/refused")
    assert (status, headers["Content-Type"]) == (403, "application/problem+json")
    for path in ("/ws/a.b", "/ws/a%3Fb=c", f"/ws/{'a' * 129}", "/ws/", "/socket"):
        assert (await status_of(front, path))[0] in {403, 404}
    assert service.sockets == []


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, "bye"), (1012, "restart"), (4401, "session over"), (4999, "")]
)
async def test_the_services_close_code_reaches_the_client(front: Gateway, code: int, reason: str) -> None:
    async with opened(front, autoclose=False) as socket:
        await socket.send_str(f"close:{code}:{reason}")
        message = await socket.receive()
        assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, code, reason)


async def test_the_clients_close_code_reaches_the_service(front: Gateway, service: FakeService) -> None:
    async with opened(front) as socket:
        await socket.close(code=4100, message=b"changed my mind")

    async def told() -> bool:
        return service.closes == [(4100, "changed my mind")]

    await eventually(told, timeout_s=20)


async def test_a_client_that_vanishes_is_told_as_gone(
    service: FakeService, tokens: Tokens, tmp_path: Path
) -> None:
    async with gateway(service, tokens, tmp_path) as front:
        proxy = await FaultProxy.start(front.url.removeprefix("http://"))
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(f"ws://{proxy.address}/ws/{TICKET}")
            await socket.send_str("x")
            await socket.receive()
            await proxy.close()

            async def told() -> bool:
                return [code for code, _ in service.closes] == [1001]

            await eventually(told, timeout_s=20)
            await socket.close()


async def test_a_service_that_vanishes_makes_the_app_connect_again(
    service: FakeService, tokens: Tokens, tmp_path: Path
) -> None:
    proxy = await FaultProxy.start(service.url.removeprefix("http://"))
    service.url = f"http://{proxy.address}"
    async with gateway(service, tokens, tmp_path) as front, opened(front, autoclose=False) as socket:
        await socket.send_str("x")
        await socket.receive()
        await proxy.close()
        message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)


async def test_a_gateway_that_drains_closes_with_1012(
    service: FakeService, tokens: Tokens, tmp_path: Path
) -> None:
    async with gateway(service, tokens, tmp_path) as front, opened(front, autoclose=False) as socket:
        await socket.send_str("x")
        await socket.receive()
        front.stopping.ask()
        message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)
        await socket.close()


async def test_a_service_that_is_down_is_a_503_in_the_handshake(tokens: Tokens, tmp_path: Path) -> None:
    async with fake_service() as gone:
        pass
    async with gateway(gone, tokens, tmp_path) as front:
        status, headers = await status_of(front, f"/ws/{TICKET}")
        assert (status, headers["Retry-After"]) == (503, "1")


async def test_pages_of_other_origins_are_refused(
    service: FakeService, tokens: Tokens, tmp_path: Path
) -> None:
    async with gateway(service, tokens, tmp_path, cors_origins=("https://app.ibora.test",)) as front:
        assert (await status_of(front, f"/ws/{TICKET}", origin="https://evil.test"))[0] == 403
        for origin in ("https://app.ibora.test", front.url):
            async with opened(front, origin=origin) as socket:
                await socket.send_str("x")
                assert (await socket.receive()).data == "x"


async def test_a_message_beyond_the_limit_ends_the_socket(front: Gateway) -> None:
    async with opened(front, autoclose=False) as socket:
        await socket.send_str("x" * 70_000)
        message = await socket.receive(timeout=10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1009)


async def test_a_socket_outlives_the_time_that_a_call_may_take(
    service: FakeService, tokens: Tokens, tmp_path: Path
) -> None:
    async with gateway(service, tokens, tmp_path, upstream_timeout_s=0.3) as front, opened(front) as socket:
        loop = asyncio.get_running_loop()
        until = loop.time() + 1
        while loop.time() < until:
            await socket.send_str("x")
            assert (await socket.receive()).data == "x"


async def test_many_messages_arrive_once_and_in_order(front: Gateway) -> None:
    async with opened(front) as socket:
        sending = asyncio.create_task(_send(socket, 500))
        received = [(await socket.receive()).data for _ in range(500)]
        await sending
        assert received == [str(number) for number in range(500)]


async def test_no_ticket_is_logged(
    front: Gateway, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened(front) as socket:
        await socket.send_str("x")
        await socket.receive()
    await status_of(front, "/ws/refused")
    captured = capfd.readouterr()
    ours = [r for r in caplog.records if not r.name.startswith("aiohttp.client")]
    gateway_records = "".join(r.getMessage() for r in ours)
    assert TICKET not in gateway_records + captured.out + captured.err


async def _send(socket: aiohttp.ClientWebSocketResponse, count: int) -> None:
    for number in range(count):
        await socket.send_str(str(number))
