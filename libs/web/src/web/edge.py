"""Our outermost layer of every request: its id, its span's name, its metrics and its one log line.

What is recorded is the route's template, never the path: a path can hold a ticket, an id or a typo of either.
"""

from time import perf_counter
from typing import Final

from prometheus_client import Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.ids import new_id
from telemetry import bound, get_logger, unbind
from web.clients import REQUEST_ID_HEADER, told_request_id
from web.traces import PROBES, describe

log = get_logger(__name__)

UNMATCHED: Final = "unmatched"
LEFT: Final = 499
"""The status of a request whose client left before any was sent."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
DURATION: Final = Histogram(
    "http_request_duration_seconds",
    "Time from the request's first byte to its answer's end",
    ["route", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class Edge:
    """Gives a request its id (the gateway's, or a new one), and tells what became of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        request_id = told_request_id(connection) or str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        with bound(request_id=request_id):
            try:
                await self._serve(connection, receive, send, request_id=request_id)
            finally:
                unbind("user_id")

    async def _serve(
        self, connection: HTTPConnection, receive: Receive, send: Send, *, request_id: str
    ) -> None:
        scope = connection.scope
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
        elif scope["path"] in PROBES:
            await self._app(scope, receive, _with_request_id(send, request_id))
        else:
            await self._told(scope, receive, send, request_id=request_id)

    async def _told(self, scope: Scope, receive: Receive, send: Send, *, request_id: str) -> None:
        started, status = perf_counter(), LEFT
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                describe(method=method, route=route_template(scope), request_id=request_id)
            await send(message)

        try:
            await self._app(scope, receive, _with_request_id(watched, request_id))
        finally:
            route = route_template(scope)
            describe(method=method, route=route, request_id=request_id, status=status)
            _record(scope, method=method, route=route, status=status, started=started)


def route_template(scope: Scope) -> str:
    """The matched route's path with its parameters' names: `/rides/{id}`; "unmatched" when there is none."""
    route = scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    return template or UNMATCHED


def _with_request_id(send: Send, request_id: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
        await send(message)

    return sending


def _record(scope: Scope, *, method: str, route: str, status: int, started: float) -> None:
    duration_s = perf_counter() - started
    DURATION.labels(route=route, method=method, status=str(status)).observe(duration_s)
    log.info(
        "http_request",
        operation=getattr(scope.get("endpoint"), "__name__", None),
        method=method,
        route=route,
        status=status,
        duration_ms=round(duration_s * 1000, 1),
    )
