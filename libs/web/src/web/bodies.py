"""Reading a request's body: counted, in time, and as strict JSON."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope

from kernel.refusals import FieldError, Invalid
from web.refusals import MalformedJson, PayloadTooLarge, RequestTimeout

_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE", "TRACE"})


async def capped(scope: Scope, receive: Receive, *, limit_bytes: int, timeout_s: float) -> Receive:
    """A `receive` that hands out at most `limit_bytes` of body.

    A declared length is judged at once; a body without one (chunked) is read and counted here, before
    anything else looks at the request. Raises PayloadTooLarge or RequestTimeout.
    """
    declared = _declared_length(scope)
    if declared is not None and declared > limit_bytes:
        raise PayloadTooLarge
    if declared == 0 or (declared is None and not _may_have_body(scope)):
        return receive
    body = await _read(receive, limit_bytes=limit_bytes, timeout_s=timeout_s)
    return _replay(body, then=receive)


class JsonRequest(Request):
    """A request whose JSON is parsed strictly; text with NUL is refused because no database stores it."""

    async def json(self) -> Any:
        """The body's value. Raises MalformedJson or Invalid."""
        if not hasattr(self, "_json"):
            self._json = parse_json(await self.body())
        return self._json


def parse_json(body: bytes) -> Any:
    """`body` as JSON's types. Raises MalformedJson, or Invalid for a NUL character inside a text."""
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedJson from error
    if b"\\u0000" in body:
        _refuse_nul(value)
    return value


def _refuse_nul(value: Any) -> None:
    errors = [
        FieldError(pointer=pointer, code="nul_character", detail="")
        for pointer in _nul_pointers(value, at="")
    ]
    if errors:
        raise Invalid(errors=errors[:50])


def _nul_pointers(value: Any, *, at: str) -> Iterator[str]:
    if isinstance(value, str) and "\x00" in value:
        yield at
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _nul_pointers(item, at=f"{at}/{index}")
    elif isinstance(value, dict):
        for key, item in value.items():
            if "\x00" in key:
                yield at
            else:
                yield from _nul_pointers(item, at=f"{at}/{key}")


async def _read(receive: Receive, *, limit_bytes: int, timeout_s: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in _chunks(receive):
                size += len(chunk)
                if size > limit_bytes:
                    raise PayloadTooLarge
                chunks.append(chunk)
    except TimeoutError as error:
        raise RequestTimeout from error
    return b"".join(chunks)


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _replay(body: bytes, *, then: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await then()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _declared_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None


def _may_have_body(scope: Scope) -> bool:
    if scope["method"] not in _BODILESS:
        return True
    return any(name == b"transfer-encoding" for name, _ in scope["headers"])
