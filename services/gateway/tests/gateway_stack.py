"""Gateways and services on real sockets, for the gateway's tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from gateway.domain.routes import ROUTES
from gateway.main import build
from gateway.settings import Settings
from testkit import Tokens, eventually
from web.server import Stopping, run_until_stopped

SERVICES: Final = sorted({route.service for route in ROUTES})
TOKEN: Final = "gateway-" + "t" * 32


@dataclass
class FakeService:
    """One service behind the gateway: tells what it was sent, and behaves as its test asks."""

    name: str = "any"
    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    sockets: list[WebSocket] = field(default_factory=list)
    closes: list[tuple[int, str]] = field(default_factory=list)

    def app(self) -> Starlette:
        methods = ["GET", "POST", "PUT", "DELETE"]
        return Starlette(
            routes=[
                Route("/.well-known/jwks.json", self.jwks),
                Route("/rides/history", self.slow),
                Route("/drivers/pending", self.echo),
                Route("/audit/logs", self.streamed),
                Route("/{path:path}", self.echo, methods=methods),
                WebSocketRoute("/ws/{token}", self.socket),
            ]
        )

    async def jwks(self, request: Request) -> Response:
        return JSONResponse(
            {"keys": []}, headers={"cache-control": "public, max-age=300", "x-ibora-inside": "1"}
        )

    async def echo(self, request: Request) -> Response:
        body = await request.body()
        self.seen.append(
            {
                "method": request.method,
                "path": request.url.path,
                "query": request.url.query,
                "headers": dict(request.headers),
                "names": sorted(name.decode() for name, _ in request.headers.raw),
                "body": body.decode(),
            }
        )
        status = int(request.query_params.get("status", "200"))
        if status == 204:
            return Response(status_code=204)
        headers = {
            "x-from": self.name,
            "connection": "keep-alive, x-hop",
            "x-hop": "secret",
            "x-request-id": "theirs",
        }
        return JSONResponse(self.seen[-1], status_code=status, headers=headers)

    async def slow(self, request: Request) -> Response:
        await self.gate.wait()
        return JSONResponse({})

    async def streamed(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"first"
            await self.gate.wait()
            yield b"second"

        return StreamingResponse(parts())

    async def socket(self, websocket: WebSocket) -> None:
        if websocket.path_params["token"] == "refused":
            await websocket.close()
            return
        await websocket.accept(subprotocol=next(iter(websocket.scope["subprotocols"]), None))
        self.sockets.append(websocket)
        self.seen.append({"query": websocket.url.query, "headers": dict(websocket.headers)})
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                self.closes.append((message["code"], message.get("reason") or ""))
                return
            if message.get("text", "").startswith("close:"):
                _, code, reason = message["text"].split(":")
                await websocket.close(int(code), reason)
                return
            await (
                websocket.send_text(message["text"])
                if message.get("text") is not None
                else websocket.send_bytes(message["bytes"])
            )


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """An app on a free port of the loopback."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
            timeout_graceful_shutdown=1,
        )
    )
    task = asyncio.create_task(server.serve())
    try:
        await eventually(_started(server), timeout_s=10)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def fake_service(name: str = "any") -> AsyncIterator[FakeService]:
    service = FakeService(name=name)
    async with serving(service.app()) as url:
        service.url = url
        yield service
        service.gate.set()


@dataclass(frozen=True)
class Gateway:
    """A running gateway."""

    url: str
    app: FastAPI
    stopping: Stopping

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1)


@asynccontextmanager
async def gateway(
    service: FakeService | None, tokens: Tokens, folder: Path, **changes: Any
) -> AsyncIterator[Gateway]:
    """A gateway in front of one fake, which plays every service; named settings replace the defaults."""
    (folder / "gateway-token").write_text(TOKEN)
    urls = dict.fromkeys(SERVICES, service.url) if service else {}
    values: dict[str, Any] = {
        "service_urls": urls,
        "gateway_token_file": folder / "gateway-token",
        "service_port": 0,
        "drain_s": 0,
        "shutdown_s": 2,
    }
    settings = Settings(**(values | changes))
    app = build(settings)
    app.state.verifier = tokens.verifier()
    stopping = Stopping()
    task = asyncio.create_task(run_until_stopped(app, settings, stopping=stopping))
    try:
        await eventually(_listening(stopping, task), timeout_s=10)
        yield Gateway(url=f"http://127.0.0.1:{stopping.listeners[0].port}", app=app, stopping=stopping)
    finally:
        stopping.ask()
        await task


def _started(server: uvicorn.Server) -> Any:
    async def started() -> bool:
        return server.started

    return started


def _listening(stopping: Stopping, task: "asyncio.Task[None]") -> Any:
    async def listening() -> bool:
        if task.done():
            task.result()
        return bool(stopping.listeners)

    return listening
