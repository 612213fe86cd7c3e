"""Real uvicorn: draining, slow and huge requests, socket paths in logs, several listeners, mutual TLS."""

import asyncio
import logging
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from fastapi import APIRouter, FastAPI, Request, WebSocket
from web_samples import make_app
from websockets.exceptions import ConnectionClosed, InvalidStatus

import web
from testkit.certificates import Certificates
from testkit.waiting import eventually
from web.server import Stopping, run_until_stopped


class Gate:
    """Holds requests until a test lets them go."""

    def __init__(self) -> None:
        self.waiting = 0
        self.open = asyncio.Event()


def gated_routes(gate: Gate) -> APIRouter:
    router = APIRouter()

    @router.get("/slow")
    async def answer_slowly() -> dict[str, str]:
        gate.waiting += 1
        await gate.open.wait()
        return {"status": "done"}

    @router.post("/read")
    async def read_body(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/peer")
    async def show_peer(request: Request) -> dict[str, Any]:
        peer = web.peer_certificate(request)
        return {"subject": peer.subject if peer else None, "issuer": peer.issuer if peer else None}

    @router.websocket("/ws/{token}")
    async def listen(socket: WebSocket, token: str) -> None:
        if token.startswith("bad"):
            await socket.close()
            return
        await socket.accept()
        with suppress(Exception):
            while True:
                await socket.receive_text()

    return router


class Running:
    """A served app: where it is, and how to stop it."""

    def __init__(self, stopping: Stopping, task: asyncio.Task[None]) -> None:
        self.stopping = stopping
        self.task = task

    @property
    def ports(self) -> list[int]:
        return [listener.port for listener in self.stopping.listeners]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"


@asynccontextmanager
async def serving(app: FastAPI, settings: web.WebSettings, **options: Any) -> AsyncIterator[Running]:
    stopping = Stopping()
    task = asyncio.create_task(run_until_stopped(app, settings, stopping=stopping, **options))
    try:
        await eventually(lambda: task.done() or stopping.listeners)
        yield Running(stopping, task)
    finally:
        stopping.ask()
        stopping.ask()
        await task


def quick(**options: Any) -> web.WebSettings:
    return web.WebSettings(**{"service_port": 0, "drain_s": 0, "shutdown_s": 5, **options})


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10) as one:
        yield one


async def test_a_drain_turns_readiness_red_first_and_loses_no_request(
    gate: Gate, client: httpx.AsyncClient
) -> None:
    app = make_app(routers=[gated_routes(gate)])
    async with serving(app, quick(drain_s=30)) as running:
        slow = asyncio.create_task(client.get(f"{running.url}/slow"))
        await eventually(lambda: gate.waiting == 1)
        async with websockets.connect(f"ws://127.0.0.1:{running.ports[0]}/ws/t") as socket:
            running.stopping.ask()
            await eventually(lambda: app.state.draining)

            assert (await client.get(f"{running.url}/ready")).json()["code"] == "draining"
            assert (await client.post(f"{running.url}/read", content=b"x")).json() == {"bytes": 1}

            running.stopping.hurried.set()
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        assert not slow.done()
        gate.open.set()

        assert (await slow).json() == {"status": "done"}
        await asyncio.wait_for(running.task, 5)


async def test_a_second_wish_to_stop_waits_for_nobody(gate: Gate, client: httpx.AsyncClient) -> None:
    async with serving(make_app(routers=[gated_routes(gate)]), quick(drain_s=60, shutdown_s=60)) as running:
        slow = asyncio.create_task(client.get(f"{running.url}/slow"))
        await eventually(lambda: gate.waiting == 1)

        running.stopping.ask()
        running.stopping.ask()

        await asyncio.wait_for(running.task, 5)
        gate.open.set()
        with suppress(httpx.HTTPError):
            await slow


async def test_forty_megabytes_in_chunks_are_refused_after_one(gate: Gate) -> None:
    async with serving(make_app(routers=[gated_routes(gate)]), quick()) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.ports[0])
        writer.write(b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        answer = asyncio.create_task(reader.readline())
        sent = 0
        with suppress(ConnectionError):
            while not answer.done() and sent < 40_000_000:
                writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                sent += 65_536
                await writer.drain()
                await asyncio.sleep(0)
        assert b"413" in await answer
        assert sent < 8_000_000
        writer.close()


@pytest.mark.parametrize(
    "declared", [b"Content-Length: 41943040\r\n", b"Content-Length: 2097152\r\nExpect: 100-continue\r\n"]
)
async def test_a_declared_size_is_refused_before_a_byte_of_it(gate: Gate, declared: bytes) -> None:
    async with serving(make_app(routers=[gated_routes(gate)]), quick()) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.ports[0])
        writer.write(b"POST /read HTTP/1.1\r\nHost: x\r\n" + declared + b"\r\n")

        assert b"413" in await asyncio.wait_for(reader.readline(), 5)
        writer.close()


async def test_a_client_that_dawdles_over_its_headers_is_cut_off_and_others_are_served(
    gate: Gate, client: httpx.AsyncClient
) -> None:
    settings = quick(header_timeout_s=0.5)
    async with serving(make_app(routers=[gated_routes(gate)]), settings) as running:
        silent = await asyncio.open_connection("127.0.0.1", running.ports[0])
        half = await asyncio.open_connection("127.0.0.1", running.ports[0])
        half[1].write(b"GET /peer HTTP/1.1\r\nHost: x\r\nX-Slow: ")

        assert (await client.get(f"{running.url}/peer")).status_code == 200
        for reader, writer in (silent, half):
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        assert (await client.get(f"{running.url}/peer")).status_code == 200


async def test_a_slow_answer_is_not_a_slow_request(gate: Gate, client: httpx.AsyncClient) -> None:
    async with serving(make_app(routers=[gated_routes(gate)]), quick(header_timeout_s=0.2)) as running:
        slow = asyncio.create_task(client.get(f"{running.url}/slow"))
        loop = asyncio.get_running_loop()
        started = loop.time()
        await eventually(lambda: loop.time() - started > 0.5)
        gate.open.set()

        assert (await slow).status_code == 200


async def test_a_body_that_stalls_is_408(gate: Gate) -> None:
    settings = quick(body_timeout_s=0.2)
    async with serving(make_app(routers=[gated_routes(gate)], settings=settings), settings) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.ports[0])
        writer.write(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")

        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in answer
        writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000,
        b"GET /" + b"x" * 100_000,
        b"\x16\x03\x01\x02\x00",
        b"NONSENSE\r\n\r\n",
    ],
)
async def test_what_is_no_http_gets_a_problem_too(gate: Gate, request_bytes: bytes) -> None:
    async with serving(make_app(routers=[gated_routes(gate)]), quick()) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.ports[0])
        writer.write(request_bytes)

        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"application/problem+json" in answer
        assert b'"code":"malformed_request"' in answer
        writer.close()


async def test_no_ticket_is_ever_logged(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with serving(make_app(routers=[gated_routes(gate)]), quick()) as running:
            base = f"ws://127.0.0.1:{running.ports[0]}"
            async with websockets.connect(f"{base}/ws/s3cr3t-ticket?token=s3cr3t"):
                pass
            for refused in ("/ws/bad-s3cr3t", "/v9/ws/s3cr3t"):
                with pytest.raises(InvalidStatus):
                    await websockets.connect(f"{base}{refused}")
            await eventually(lambda: caplog.text.count("WebSocket /") >= 2)

    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("uvicorn", "web."))]
    assert any("/ws/***" in line and "accepted" in line for line in ours)
    assert not [line for line in ours if "s3cr3t" in line and "/ws/" in line]


@pytest.fixture
async def mutual_tls(gate: Gate, certificates: Certificates) -> AsyncIterator[Callable[[str], str]]:
    """An app whose second listener wants a certificate; gives the base URL of that listener."""
    async with AsyncExitStack() as stack:
        extra = web.Server(
            app=make_app(service="webhook", routers=[gated_routes(gate)]),
            host="127.0.0.1",
            port=0,
            ssl_certfile=certificates.server.cert,
            ssl_keyfile=certificates.server.key,
            ssl_ca_certs=certificates.ca,
        )
        app = make_app(routers=[gated_routes(gate)])
        running = await stack.enter_async_context(serving(app, quick(), extra=[extra]))
        yield lambda path: f"https://localhost:{running.ports[1]}{path}"


def trusting(certificates: Certificates, shown: Any | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificates.ca)
    if shown is not None:
        context.load_cert_chain(shown.cert, shown.key)
    return context


async def test_a_trusted_client_certificate_names_its_bearer(
    mutual_tls: Callable[[str], str], certificates: Certificates
) -> None:
    context = trusting(certificates, certificates.client_named("efi"))
    async with httpx.AsyncClient(verify=context) as client:
        answer = (await client.get(mutual_tls("/peer"))).json()

    assert answer["subject"]["commonName"] == "efi"
    assert answer["issuer"]["commonName"] == "Ibora test CA"


@pytest.mark.parametrize("shown", ["nothing", "stranger", "expired"])
async def test_any_other_client_does_not_get_through_the_handshake(
    mutual_tls: Callable[[str], str], certificates: Certificates, shown: str
) -> None:
    context = trusting(certificates, getattr(certificates, shown, None))
    async with httpx.AsyncClient(verify=context) as client:
        with pytest.raises(httpx.TransportError):
            await client.get(mutual_tls("/peer"))


async def test_a_renewed_certificate_is_presented_without_a_restart(
    gate: Gate, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.server.CERTIFICATES_S", 0.02)
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    _copy(certificates.server, certificate, key)
    app = make_app(routers=[gated_routes(gate)])
    extra = web.Server(app=app, host="127.0.0.1", port=0, ssl_certfile=certificate, ssl_keyfile=key)
    async with asyncio.timeout(10), serving(app, quick(), extra=[extra]) as running:
        before = await _presented(running.ports[1])
        _copy(certificates.client_named("renewed"), certificate, key)

        while await _presented(running.ports[1]) == before:
            await asyncio.sleep(0.02)


def _copy(files: Any, certificate: Path, key: Path) -> None:
    shutil.copy(files.key, key)
    shutil.copy(files.cert, certificate)


async def _presented(port: int) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return shown


async def test_two_listeners_of_one_app_start_it_once(gate: Gate, client: httpx.AsyncClient) -> None:
    starts = 0

    class Part:
        async def start(self) -> None:
            nonlocal starts
            starts += 1

        async def stop(self) -> None: ...

        def unhealthy(self) -> str | None:
            return None

    app = make_app(routers=[gated_routes(gate)], background=[Part()])
    extra = [web.Server(app=app, host="127.0.0.1", port=0)]
    async with serving(app, quick(), extra=extra) as running:
        for port in running.ports:
            assert (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200

    assert starts == 1
