"""ASGI middleware: the API's mode of misbehaving, and a nudge to the clockwork after every request."""

import asyncio

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from efi_simulator.api.deps import Deps
from efi_simulator.api.errors import answer, lose
from efi_simulator.domain.modes import ApiMode
from efi_simulator.domain.refusals import ApplicationError, TooManyRequests
from efi_simulator.ports import ABORT

BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
UNHARMED = ("/health", "/ready", "/metrics")


class Nudging:
    """Wakes the clockwork once the request is done, whatever became of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "http":
                scope["app"].state.deps.wake()


class Keeping:
    """Holds back every answer until what it tells of is on disk: a query may see what was done a moment ago."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNHARMED:
            await self._app(scope, receive, send)
            return
        deps: Deps = scope["app"].state.deps

        async def send_once_kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                await deps.keep()
            await send(message)

        await self._app(scope, receive, send_once_kept)


class Misbehaving:
    """`down` cuts the connection, `error_500`, `html_502` and `throttled` (429) answer so, `half_open` never
    answers, `slow` is late, `cut` does what was asked and breaks off in the middle of the answer.

    Every request counts, logins too. Nothing happens in the bank unless the mode is `ok`, `slow` or `cut`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNHARMED:
            await self._app(scope, receive, send)
            return
        deps: Deps = scope["app"].state.deps
        delay_ms = deps.api_mode.delay_ms
        mode = deps.api_mode.take()
        match mode:
            case ApiMode.DOWN:
                await (await lose(scope, hang_s=0))(scope, receive, send)
            case ApiMode.HALF_OPEN:
                await _until_the_caller_gives_up(receive)
            case ApiMode.CUT:
                await self._app(scope, receive, _cutting(scope, send))
            case ApiMode.SLOW:
                await asyncio.sleep(deps.slow_s if delay_ms is None else delay_ms / 1000)
                await self._app(scope, receive, send)
            case ApiMode.ERROR_500 | ApiMode.HTML_502 | ApiMode.THROTTLED:
                await _failure(mode, retry_after_ms=delay_ms)(scope, receive, send)
            case _:
                await self._app(scope, receive, send)


def _failure(mode: ApiMode, *, retry_after_ms: int | None) -> Response:
    if mode is ApiMode.HTML_502:
        return HTMLResponse(BAD_GATEWAY, 502)
    if mode is ApiMode.THROTTLED:
        response = answer(TooManyRequests())
        if retry_after_ms is not None:
            response.headers["Retry-After"] = str(-(-retry_after_ms // 1000))
        return response
    return answer(ApplicationError())


async def _until_the_caller_gives_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def _cutting(scope: Scope, send: Send) -> Send:
    """Half of the body, then no more of the connection."""

    async def send_half(message: Message) -> None:
        if message["type"] != "http.response.body" or not message.get("body"):
            await send(message)
            return
        body = message["body"]
        await send({**message, "body": body[: len(body) // 2], "more_body": True})
        if ABORT in scope:
            scope[ABORT]()

    return send_half
