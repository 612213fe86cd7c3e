"""An app's socket: it remembers every frame, and waits for one that fits."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import websockets

from simulator.api import Api

Frame = dict[str, Any]


class NotTold(AssertionError):
    """The frame did not come in time."""


class AppSocket:
    """Open with `await AppSocket.open(api, token)`; `frames` holds all that came, oldest first."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection
        self.frames: list[Frame] = []
        self._arrived = asyncio.Condition()
        self._listeners: list[Callable[[Frame], None]] = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, api: Api, token: str) -> "AppSocket":
        ticket = (await api.call("POST", "/ws/tickets", token=token)).expect(201).body
        socket = cls(await websockets.connect(ticket["url"], max_queue=1024))
        await socket.wait("hello")
        return socket

    def on_frame(self, listener: Callable[[Frame], None]) -> None:
        self._listeners.append(listener)

    async def wait(self, *types: str, timeout_s: float = 30.0, **data: Any) -> Frame:
        """The first frame of one of these types whose data has these values, also one that came before."""
        async with self._arrived:
            try:
                async with asyncio.timeout(timeout_s):
                    while (frame := self.find(*types, **data)) is None:
                        await self._arrived.wait()
            except TimeoutError:
                raise NotTold(f"no {' or '.join(types)} {data} within {timeout_s} s") from None
        return frame

    def find(self, *types: str, **data: Any) -> Frame | None:
        for frame in self.frames:
            fits = frame["type"] in types and all(frame["data"].get(k) == v for k, v in data.items())
            if fits:
                return frame
        return None

    async def ping(self) -> None:
        await self._connection.send('{"type": "ping"}')

    @property
    def close_code(self) -> int | None:
        return self._connection.close_code

    async def closed(self, *, timeout_s: float = 10.0) -> int:
        """The close code, once the server has closed."""
        async with asyncio.timeout(timeout_s):
            await self._connection.wait_closed()
        code = self._connection.close_code
        assert code is not None
        return code

    async def close(self) -> None:
        await self._connection.close()
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading

    async def _read(self) -> None:
        with suppress(websockets.ConnectionClosed):
            async for text in self._connection:
                frame = json.loads(text)
                async with self._arrived:
                    self.frames.append(frame)
                    self._arrived.notify_all()
                for listener in self._listeners:
                    listener(frame)
