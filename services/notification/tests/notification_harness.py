"""One or more notification processes on real Postgres and Valkey, and apps that connect to them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import websockets
from fastapi import FastAPI

from contracts.base import Fact
from kernel.ids import new_id
from notification.main import build
from notification.settings import Settings
from notification.usecases.log_messages import log_messages
from testkit import Tokens, eventually
from web import Revocations
from web.server import Stopping, run_until_stopped


@dataclass
class Process:
    """One process that holds sockets."""

    app: FastAPI
    port: int
    tokens: Tokens
    stopping: Stopping

    @property
    def deps(self) -> Any:
        return self.app.state.deps

    async def tell(self, *facts: Fact) -> None:
        """Log facts in one transaction, as the consumer does."""
        async with self.deps.transaction() as tx:
            for fact in facts:
                await log_messages(tx, fact=fact, event_id=new_id(), occurred_at=datetime.now(UTC))

    async def ticket(self, user_id: UUID, user_type: str = "passenger", **claims: Any) -> str:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as client:
            headers = self.tokens.headers(user_id, user_type, **claims)
            answer = await client.post("/ws/tickets", headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["ticket"])

    @asynccontextmanager
    async def app_of(self, user_id: UUID, *, query: str = "", **claims: Any) -> AsyncIterator["App"]:
        ticket = await self.ticket(user_id, **claims)
        url = f"ws://127.0.0.1:{self.port}/ws/{ticket}{query}"
        async with websockets.connect(url) as connection:
            app = App(connection)
            app.hello = await app.next()
            yield app


class App:
    """An app's end of a socket."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection
        self.hello: dict[str, Any] = {}

    async def next(self, timeout_s: float = 10) -> dict[str, Any]:
        async with asyncio.timeout(timeout_s):
            frame: dict[str, Any] = json.loads(await self.connection.recv())
        return frame

    async def ask(self, message: str | bytes) -> dict[str, Any]:
        await self.connection.send(message)
        return await self.next()

    async def closed(self, timeout_s: float = 10) -> int:
        """The code that the socket is closed with; frames on the way are dropped."""
        async with asyncio.timeout(timeout_s):
            with suppress(websockets.ConnectionClosed):
                while True:
                    await self.connection.recv()
        code = self.connection.close_code
        assert code is not None
        return code


@asynccontextmanager
async def running(
    settings: Settings, tokens: Tokens, *, revocations: Revocations | None = None, mode: str = "api"
) -> AsyncIterator[Process]:
    """A process that listens on a free port."""
    verifier = tokens.verifier(revocations=revocations)
    app = build(settings, mode=mode, verifier=verifier)  # type: ignore[arg-type]
    stopping = Stopping()
    serving = asyncio.create_task(run_until_stopped(app, settings, stopping=stopping))
    await eventually(lambda: bool(stopping.listeners) or serving.done())
    if serving.done():
        serving.result()
    yield Process(app=app, port=stopping.listeners[0].port, tokens=tokens, stopping=stopping)
    stopping.ask()
    await serving
