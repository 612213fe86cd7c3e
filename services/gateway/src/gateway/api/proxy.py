"""The door of every public path: find, count, authenticate, limit, pass on."""

from collections.abc import Mapping
from typing import Final, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

import web
from gateway.api.deps import Deps
from gateway.api.doorkeeper import ADDRESS_STATE
from gateway.domain.headers import Header, to_client, to_service
from gateway.domain.limits import Limits, Standing, TooManyRequests, Window
from gateway.domain.routes import Found, WrongMethod
from gateway.effects.call_service import call_service
from gateway.effects.count_request import count_request
from gateway.ports import Answer, Call
from kernel.refusals import NotFound
from web.bodies import capped
from web.clients import REQUEST_ID_HEADER

NOBODY: Final = "unknown"


class Proxy:
    """An ASGI app. The order is the contract's: 404, 405, 413, 401, then 429, then whatever the service says.

    A request's body is read whole before it is passed on: it has at most a mebibyte, its size must be known
    before the token is looked at, and a client that dawdles occupies no service. Answers are streamed.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except WrongMethod as refusal:
            response = _refused(request, refusal, headers={"allow": ", ".join(refusal.allowed)})
        except TooManyRequests as refusal:
            response = _refused(request, refusal, headers=refusal.standing.headers())
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        deps = deps_of(request)
        found = deps.table.find(request.method, request.url.path)
        if found is None:
            raise NotFound
        # What the edge records and measures is the template.
        request.scope["route"] = found.route
        body = await _body(request)
        standing = await _let_in(request, deps=deps, found=found)
        call = _call(request, found=found, body=body)
        answer = await call_service(deps.services, call=call, route=found.route.path)
        return StreamedAnswer(answer, extra=standing.headers() if standing else {})


class StreamedAnswer(Response):
    """A service's answer, passed on as it arrives."""

    def __init__(self, answer: Answer, *, extra: Mapping[str, str]) -> None:
        self._answer = answer
        self.status_code = answer.status
        self.background = None
        told = [(name.encode(), value.encode()) for name, value in extra.items()]
        self.raw_headers = [*to_client(answer.headers), *told]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            head = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            started = False
            async for chunk in self._answer.chunks():
                if not started:
                    await send(head)
                    started = True
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if not started:
                await send(head)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._answer.close()


def deps_of(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


def address_of(scope: Scope) -> str:
    return scope.get("state", {}).get(ADDRESS_STATE) or NOBODY


async def _body(request: Request) -> bytes | None:
    settings: web.WebSettings = request.app.state.web_settings
    receive = await capped(
        request.scope,
        request.receive,
        limit_bytes=settings.body_limit_bytes,
        timeout_s=settings.body_timeout_s,
    )
    if receive is request.receive:
        return None
    return await Request(request.scope, receive).body()


async def _let_in(request: Request, *, deps: Deps, found: Found) -> Standing | None:
    """Authenticate where it is needed, and count the call; InvalidToken, TooManyRequests."""
    by_address = [(deps.limits.address, address_of(request.scope))]
    if not found.route.protected:
        return await count_request(deps.limiter, windows=by_address)
    try:
        principal = await web.authenticate(request)
    except web.Unauthenticated:
        await count_request(deps.limiter, windows=by_address)
        raise
    windows = _windows_of_user(str(principal.user_id), limits=deps.limits, scarce=found.route.scarce)
    return await count_request(deps.limiter, windows=windows)


def _windows_of_user(user_id: str, *, limits: Limits, scarce: bool) -> list[tuple[Window, str]]:
    windows = [(limits.user, user_id)]
    return [*windows, (limits.accept, user_id)] if scarce else windows


def _call(request: Request, *, found: Found, body: bytes | None) -> Call:
    headers: list[Header] = [
        (name, value)
        for name, value in to_service(request.scope["headers"])
        if name != REQUEST_ID_HEADER.lower().encode()
    ]
    headers.append((REQUEST_ID_HEADER.lower().encode(), web.request_id_of(request).encode()))
    return Call(
        service=found.route.service,
        method=request.method,
        path=found.path,
        query=request.scope["query_string"],
        headers=headers,
        body=body,
    )


def _refused(
    request: Request, refusal: WrongMethod | TooManyRequests, *, headers: Mapping[str, str]
) -> Response:
    response = web.refusal_response(request, refusal)
    response.headers.update(headers)
    return response
