"""ASGI middleware: the API's mode of misbehaving, and a nudge to the clockwork after every request."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from efi_simulator.api.deps import Deps
from efi_simulator.api.errors import answer, lose
from efi_simulator.domain.modes import ApiMode
from efi_simulator.domain.refusals import ApplicationError

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


class Misbehaving:
    """`down` cuts the connection, `error_500` answers so, `slow` is late. Every request counts, logins too.

    Nothing happens in the bank unless the mode is `ok` or `slow`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNHARMED:
            await self._app(scope, receive, send)
            return
        deps: Deps = scope["app"].state.deps
        delay_ms = deps.api_mode.delay_ms
        match deps.api_mode.take():
            case ApiMode.DOWN:
                await (await lose(scope, hang_s=0))(scope, receive, send)
            case ApiMode.ERROR_500:
                await answer(ApplicationError())(scope, receive, send)
            case ApiMode.SLOW:
                await asyncio.sleep(deps.slow_s if delay_ms is None else delay_ms / 1000)
                await self._app(scope, receive, send)
            case _:
                await self._app(scope, receive, send)
