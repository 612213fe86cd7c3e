"""One app's socket: a bounded queue out, a cursor, and a reason when it ends."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from notification.domain.cursor import Cursor
from notification.domain.ticket import Holder
from notification.metrics import FRAMES, SOCKETS_CLOSED
from telemetry import tracing

QUEUE_FRAMES: Final = 256
Outgoing = tuple[Mapping[str, Any] | None, str | None]
"""A frame, and the `traceparent` of what caused it."""


class Ending(Enum):
    """Close code and what it means (RFC 6455; 4000 and above are ours)."""

    DRAINING = (1012, "service restart")
    TOO_SLOW = (1013, "too slow")
    TOO_MUCH = (1008, "too many messages")
    REPLACED = (4409, "replaced by a newer socket")
    SESSION_OVER = (4401, "session over")


@dataclass(eq=False, slots=True)
class Socket:
    """`location` is the newest position only: a slow app is never sent an old one."""

    websocket: WebSocket
    holder: Holder
    cursor: Cursor
    queue: "asyncio.Queue[Outgoing | None]" = field(
        default_factory=lambda: asyncio.Queue(maxsize=QUEUE_FRAMES)
    )
    location: Mapping[str, Any] | None = None
    ending: Ending | None = None

    def send(self, frame: Mapping[str, Any], *, traceparent: str | None = None) -> None:
        """Queue a frame; an app that does not read is let go: its log keeps what it misses.

        With `traceparent` the sending is the last span of that trace.
        """
        try:
            self.queue.put_nowait((frame, traceparent))
        except asyncio.QueueFull:
            self.end(Ending.TOO_SLOW)

    def send_location(self, frame: Mapping[str, Any]) -> None:
        waiting, self.location = self.location, frame
        if waiting is None:
            with suppress(asyncio.QueueFull):
                self.queue.put_nowait(None)

    def end(self, ending: Ending) -> None:
        """Close soon, with this reason; the first reason stands."""
        if self.ending is not None:
            return
        self.ending = ending
        SOCKETS_CLOSED.labels(ending.name.lower()).inc()
        if self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(None)

    async def pump(self) -> None:
        """Send what is queued until the socket ends."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while self.ending is None:
                await self._send(await self.queue.get())
            code, reason = self.ending.value
            await self.websocket.close(code, reason)

    async def _send(self, outgoing: Outgoing | None) -> None:
        if outgoing is None:
            outgoing, self.location = (self.location, None), None
        frame, traceparent = outgoing
        if frame is None or self.ending is not None:
            return
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        with _traced(frame, traceparent=traceparent):
            await self.websocket.send_text(text)
        FRAMES.labels(frame["type"]).inc()


def _traced(frame: Mapping[str, Any], *, traceparent: str | None) -> AbstractContextManager[object]:
    """A span in the trace of who caused the frame; greetings, pongs and positions have none."""
    if traceparent is None:
        return nullcontext()
    return tracing.span(
        f"send {frame['type']}",
        kind=tracing.PRODUCER,
        attributes={"messaging.system": "websocket", "messaging.message.id": frame["id"]},
        parent=tracing.parent_from({tracing.TRACEPARENT: traceparent}),
    )
