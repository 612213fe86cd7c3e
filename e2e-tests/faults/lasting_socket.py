"""An app's socket that comes back by itself, and goes on where it stood."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlencode

import websockets

from simulator.api import Api
from simulator.sockets import Frame, NotTold

PAUSE_S = 0.25
LOST = (OSError, TimeoutError, websockets.WebSocketException)


class LastingSocket:
    """`frames` holds all that came, oldest first; `offsets` the places in the log, which must have no gap.

    Open with `await LastingSocket.open(api, token)`. After a loss it takes a new ticket and names the epoch and
    the offset that it has seen; `reconnected` counts that.
    """

    def __init__(self, api: Api, token: str) -> None:
        self._api = api
        self._token = token
        self._arrived = asyncio.Condition()
        self._listeners: list[Callable[[Frame], None]] = []
        self._epoch: str | None = None
        self.frames: list[Frame] = []
        self.offsets: list[int] = []
        self.start = 0
        self.reconnected = -1
        self._running: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    @classmethod
    async def open(cls, api: Api, token: str) -> "LastingSocket":
        socket = cls(api, token)
        socket._running = asyncio.create_task(socket._run())
        await socket.wait("hello")
        return socket

    @property
    def last(self) -> int:
        """The offset of the newest message seen."""
        return self.offsets[-1] if self.offsets else self.start

    def on_frame(self, listener: Callable[[Frame], None]) -> None:
        self._listeners.append(listener)

    async def wait(self, *types: str, timeout_s: float = 90.0, **data: str) -> Frame:
        """The first frame of one of these types whose data has these values, also one that came before."""
        async with self._arrived:
            try:
                async with asyncio.timeout(timeout_s):
                    while (frame := self.find(*types, **data)) is None:
                        self.check()
                        await self._arrived.wait()
            except TimeoutError:
                raise NotTold(f"no {' or '.join(types)} {data} within {timeout_s:.0f} s") from None
        return frame

    def find(self, *types: str, **data: str) -> Frame | None:
        fitting = (
            frame
            for frame in self.frames
            if frame["type"] in types and all(frame["data"].get(k) == v for k, v in data.items())
        )
        return next(fitting, None)

    def check(self) -> None:
        """Raise what ended this app for good: a greeting that did not go on where we stood."""
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        assert self._running is not None, "open it first"
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running

    async def _run(self) -> None:
        try:
            await self._keep_connected()
        except Exception as error:  # noqa: BLE001  # whoever waits for a frame shall know
            async with self._arrived:
                self._failure = error
                self._arrived.notify_all()

    async def _keep_connected(self) -> None:
        while True:
            with suppress(*LOST):
                async with websockets.connect(await self._address(), max_queue=1024) as connection:
                    async for text in connection:
                        await self._take(json.loads(text))
            await asyncio.sleep(PAUSE_S)

    async def _address(self) -> str:
        ticket = (await self._api.call("POST", "/ws/tickets", token=self._token)).expect(201).body
        place = f"?{urlencode({'epoch': self._epoch, 'offset': self.last})}" if self._epoch else ""
        return f"{ticket['url']}{place}"

    async def _take(self, frame: Frame) -> None:
        if frame["type"] == "hello":
            self._greet(frame["data"])
        elif "offset" in frame:
            self.offsets.append(frame["offset"])
        async with self._arrived:
            self.frames.append(frame)
            self._arrived.notify_all()
        for listener in self._listeners:
            listener(frame)

    def _greet(self, hello: Frame) -> None:
        if self._epoch is None:
            self._epoch, self.start = hello["epoch"], hello["offset"]
        assert (hello["epoch"], hello["offset"]) == (self._epoch, self.last), f"not where we stood: {hello}"
        self.reconnected += 1
