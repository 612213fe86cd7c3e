"""The door of `/ws/{token}`. The token is a ticket: it is passed on, never looked at, never logged."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

import web
from gateway import metrics
from gateway.api.deps import Deps
from gateway.api.proxy import address_of
from gateway.domain.closes import Close
from gateway.domain.headers import to_service_socket
from gateway.domain.limits import TooManyRequests
from gateway.domain.routes import SOCKET_SERVICE, TICKET
from gateway.effects.count_request import count_request
from gateway.effects.pass_socket import pass_socket
from gateway.ports import Call, HandshakeRefused, ServiceDown, ServiceTooSlow
from kernel.refusals import NotAllowed, Refusal
from telemetry import get_logger

log = get_logger(__name__)

PATHS: Final = ("/ws/{token}", "/v1/ws/{token}")
NO_CODE: Final = 1005


class SocketRefused(NotAllowed):
    """The ticket is worth nothing, or the page that asks is not ours."""

    pt = "A conexão em tempo real foi recusada. Peça um novo bilhete."
    en = "The real-time connection was refused. Ask for a new ticket."


async def open_socket(websocket: WebSocket) -> None:
    """Open the service's socket first: only then is the client's accepted, or refused as the service refused."""
    deps: Deps = websocket.app.state.deps
    try:
        _check_origin(websocket, allowed=deps.browser_origins)
        await count_request(deps.limiter, windows=[(deps.limits.address, address_of(websocket.scope))])
        await _pass_on(websocket, deps=deps)
    except HandshakeRefused as refused:
        await _refuse(websocket, _as_refusal(refused))
    except (SocketRefused, TooManyRequests, ServiceDown, ServiceTooSlow) as refusal:
        await _refuse(websocket, refusal)


class ClientSocket:
    """The Socket port on the client's side."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> str | bytes | Close:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return Close(message.get("code") or NO_CODE, message.get("reason") or "")
        text: str | None = message.get("text")
        return text if text is not None else bytes(message["bytes"])

    async def send(self, message: str | bytes) -> None:
        try:
            if isinstance(message, str):
                await self._websocket.send_text(message)
            else:
                await self._websocket.send_bytes(message)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise ConnectionError("the client has gone") from error

    async def close(self, close: Close) -> None:
        try:
            await self._websocket.close(code=close.code, reason=close.reason)
        except (WebSocketDisconnect, RuntimeError):
            log.debug("socket_gone_before_its_close")


async def _pass_on(websocket: WebSocket, *, deps: Deps) -> None:
    async with deps.services.connect(_call(websocket), protocols=websocket.scope.get("subprotocols", [])) as (
        service,
        protocol,
    ):
        await websocket.accept(subprotocol=protocol)
        with metrics.SOCKETS.track_inprogress():
            close = await pass_socket(ClientSocket(websocket), service=service)
    log.info("socket_ended", code=close.code)


def _call(websocket: WebSocket) -> Call:
    ticket: str = websocket.path_params["token"]
    if not TICKET.fullmatch(ticket):
        raise SocketRefused
    return Call(
        service=SOCKET_SERVICE,
        method="GET",
        path=f"/ws/{ticket}",
        query=websocket.scope["query_string"],
        headers=list(to_service_socket(websocket.scope["headers"])),
        body=None,
    )


def _check_origin(websocket: WebSocket, *, allowed: tuple[str, ...]) -> None:
    """A browser says which page asks; an app says nothing. SocketRefused for a page that is not ours."""
    origin = websocket.headers.get("origin")
    if origin is None or origin in allowed or "*" in allowed:
        return
    if urlsplit(origin).netloc != websocket.headers.get("host"):
        raise SocketRefused


def _as_refusal(refused: HandshakeRefused) -> Refusal:
    if refused.status >= 500:
        return ServiceDown(retry_after_s=1)
    return SocketRefused()


async def _refuse(websocket: WebSocket, refusal: Refusal) -> None:
    response = web.refusal_response(HTTPConnection(websocket.scope), refusal)
    await websocket.send_denial_response(response)
