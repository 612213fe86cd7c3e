"""The socket that an app keeps open."""

import asyncio
import json
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from fastapi import APIRouter, Query, WebSocket
from starlette.websockets import WebSocketDisconnect

from kernel.ids import new_id
from notification.api.deps import Deps, DepsDep
from notification.api.socket import Ending, Socket
from notification.domain.cursor import Cursor, starting_offset
from notification.domain.message import rfc3339
from notification.effects.redeem_ticket import redeem_ticket

router = APIRouter()

MESSAGES_PER_MINUTE: Final = 120
MESSAGE_CHARS: Final = 4096


@router.websocket("/ws/{token}")
async def open_socket(
    websocket: WebSocket,
    token: str,
    deps: DepsDep,
    epoch: str | None = Query(default=None),
    offset: int | None = Query(default=None),
) -> None:
    """Let a ticket's holder in, say `hello`, then send what the log and the announcements bring.

    With `epoch` and `offset` of an earlier socket, what was missed since comes first. A ticket that is worth
    nothing is refused in the handshake (HTTP 403).
    """
    holder = await redeem_ticket(deps, ticket=token)
    if holder is None:
        await websocket.close()
        return
    await websocket.accept()
    socket = Socket(websocket=websocket, holder=holder, cursor=Cursor(last=0))
    async with deps.transaction() as tx:
        log_epoch = await tx.log.epoch()
        last = await tx.log.last_offset(holder.user_id)
    start = starting_offset(epoch=log_epoch, last=last, asked_epoch=epoch, asked_offset=offset)
    socket.cursor.last = start
    socket.send(_frame(deps, "hello", epoch=log_epoch, offset=start, heartbeat_s=deps.heartbeat_s))
    await _run(deps, socket)


async def _run(deps: Deps, socket: Socket) -> None:
    await deps.hub.join(socket)
    pump = asyncio.create_task(socket.pump())
    listen = asyncio.create_task(_listen(deps, socket))
    try:
        # After joining: what was written between the reading of the offset and the joining is in the log.
        await deps.hub.catch_up([socket])
        await asyncio.wait([pump, listen], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await deps.hub.leave(socket)
        for task in (pump, listen):
            task.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect):
                await task


async def _listen(deps: Deps, socket: Socket) -> None:
    """Answer pings; anything else is told to be unknown. Returns when the app has gone."""
    minute, heard = monotonic(), 0
    with suppress(WebSocketDisconnect):
        while True:
            text = await _receive(socket.websocket)
            if monotonic() - minute >= 60:
                minute, heard = monotonic(), 0
            heard += 1
            if heard > MESSAGES_PER_MINUTE or len(text) > MESSAGE_CHARS:
                socket.end(Ending.TOO_MUCH)
                await asyncio.Event().wait()
            socket.send(_answer(deps, text))


async def _receive(websocket: WebSocket) -> str:
    """The next message, whatever kind of frame brings it: a binary one is no reason to break down."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text: str | None = message.get("text")
    return text if text is not None else bytes(message.get("bytes") or b"").decode(errors="replace")


def _answer(deps: Deps, text: str) -> dict[str, Any]:
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        return _frame(deps, "error", code="malformed_json")
    if isinstance(asked, dict) and asked.get("type") == "ping":
        return _frame(deps, "pong")
    return _frame(deps, "error", code="unknown_type")


def _frame(deps: Deps, type_: str, **data: Any) -> dict[str, Any]:
    return {"type": type_, "id": str(new_id()), "occurred_at": rfc3339(deps.now()), "data": data}
