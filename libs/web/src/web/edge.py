"""The outermost layer of every request: its id, its trace, its metrics and its one log line.

What is recorded is the route's template, never the path: a path can hold a ticket, an id or a typo of either.
"""

from time import perf_counter
from typing import Final

from prometheus_client import Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.ids import new_id
from telemetry import bound, get_logger, tracing, unbind
from web.clients import REQUEST_ID_HEADER, told_request_id

log = get_logger(__name__)

UNMATCHED: Final = "unmatched"
_PROBES: Final = frozenset({"/health", "/ready", "/metrics"})
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
        elif scope["path"] in _PROBES:
            await self._app(scope, receive, _with_request_id(send, request_id, _Status()))
        else:
            await self._traced(connection, receive, send, request_id=request_id)

    async def _traced(
        self, connection: HTTPConnection, receive: Receive, send: Send, *, request_id: str
    ) -> None:
        scope, status, started = connection.scope, _Status(), perf_counter()
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        parent = tracing.parent_from(connection.headers)
        with tracing.span(method, kind=tracing.SERVER, parent=parent) as span:
            try:
                await self._app(scope, receive, _with_request_id(send, request_id, status))
            finally:
                route = route_template(scope)
                span.update_name(f"{method} {route}")
                span.set_attributes(
                    {
                        "http.request.method": method,
                        "http.route": route,
                        "http.response.status_code": status.code,
                        "request_id": request_id,
                    }
                )
                _record(scope, method=method, route=route, status=status.code, started=started)


def route_template(scope: Scope) -> str:
    """The matched route's path with its parameters' names: `/rides/{id}`; "unmatched" when there is none."""
    route = scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    return template or UNMATCHED


class _Status:
    """The status that was sent; 499 when the client left before any."""

    code = 499


def _with_request_id(send: Send, request_id: str, status: _Status) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            status.code = message["status"]
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
