"""Idempotent requests: the same key does the work once and gives the same answer again (ARCHITECTURE §4)."""

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from kernel.refusals import FieldError, Invalid, Refusal
from storage import Transaction, idempotency
from web.bodies import parse_json
from web.models import View
from web.principals import Principal
from web.problems import refusal_response
from web.refusals import IdempotencyKeyRequired, MalformedJson

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
MAX_KEY: Final = 255
T = TypeVar("T", bound=Transaction)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status of its own: `web.Reply(200, view)`; a None view has no body."""

    status: int
    view: View | None


Work = Callable[[T], Awaitable[View | Reply | Refusal | None]]


async def _optional_key(
    idempotency_key: Annotated[str | None, Header(alias=HEADER, max_length=MAX_KEY)] = None,
) -> str | None:
    return None if idempotency_key is None else clean_key(idempotency_key)


async def _required_key(key: Annotated[str | None, Depends(_optional_key)]) -> str:
    if key is None:
        raise IdempotencyKeyRequired
    return key


IdempotencyKey = Annotated[str, Depends(_required_key)]
"""The Idempotency-Key header; without one, 400 `idempotency_key_required`."""

OptionalIdempotencyKey = Annotated[str | None, Depends(_optional_key)]
"""The Idempotency-Key header or None, for calls that also take a key in the body."""


def clean_key(text: str) -> str:
    """A key in its bare form: `"abc"` (RFC 8941) and `abc` are the same key. Raises Invalid or Required."""
    bare = text.strip()
    if len(bare) >= 2 and bare[0] == bare[-1] == '"':
        bare = bare[1:-1]
    if not bare:
        raise IdempotencyKeyRequired
    if len(bare) > MAX_KEY or not bare.isprintable() or not bare.isascii():
        error = FieldError(pointer=f"/header/{HEADER}", code="invalid_idempotency_key", detail="")
        raise Invalid(errors=[error])
    return bare


async def idempotent(
    request: Request,
    *,
    transaction: Callable[[], AbstractAsyncContextManager[T]],
    principal: Principal,
    operation: str,
    key: str,
    work: Work[T],
    status: int = 201,
    body_counts: bool = True,
) -> Response:
    """Do `work` once per (principal, operation, key) and answer repeats with the stored answer.

    `work` returns a View (answered with `status`), a Reply, None (no body), or a Refusal: its writes commit
    and it is stored as final. A Refusal that is raised rolls the work back and is stored when it is final.
    `body_counts` False: the body says nothing but the key, so a key sent in the header repeats one sent there.
    Raises RequestInProgress (409) while the first is running, IdempotencyKeyReused (422) for another request.
    """
    names = {"principal": str(principal.user_id), "operation": operation, "key": key}
    fingerprint = await request_fingerprint(request, body_counts=body_counts)
    try:
        async with transaction() as tx:
            claimed = await idempotency.claim(tx, **names, fingerprint=fingerprint)
            if isinstance(claimed, idempotency.Replay):
                return _replay(claimed)
            response = _answer(request, await work(tx), status=status)
            await _remember(tx, claimed, response)
        return response
    except (idempotency.RequestInProgress, idempotency.IdempotencyKeyReused):
        raise
    except Refusal as refusal:
        if not refusal.final or refusal.status >= 500 or refusal.status == 429:
            raise
        return await _store_refusal(request, refusal, transaction, names=names, fingerprint=fingerprint)


async def request_fingerprint(request: Request, *, body_counts: bool = True) -> bytes:
    """SHA-256 over method, path and body; a JSON body counts by its value, not by its spelling."""
    body = await request.body() if body_counts else b""
    try:
        canonical = (
            json.dumps(parse_json(body), sort_keys=True, separators=(",", ":")).encode() if body else b""
        )
    except (MalformedJson, Invalid):
        canonical = body
    head = f"{request.method}\n{request.scope['path']}\n".encode()
    return sha256(head + canonical).digest()


async def _store_refusal(
    request: Request,
    refusal: Refusal,
    transaction: Callable[[], AbstractAsyncContextManager[T]],
    *,
    names: dict[str, str],
    fingerprint: bytes,
) -> Response:
    """The work was rolled back with its claim, so the answer is recorded in a transaction of its own."""
    response = refusal_response(request, refusal)
    async with transaction() as tx:
        claimed = await idempotency.claim(tx, **names, fingerprint=fingerprint)
        if isinstance(claimed, idempotency.Replay):
            # Another request with this key got in between the two and was answered first.
            return _replay(claimed)
        await _remember(tx, claimed, response)
    return response


def _answer(request: Request, outcome: Any, *, status: int) -> Response:
    if isinstance(outcome, Refusal):
        return refusal_response(request, outcome)
    reply = outcome if isinstance(outcome, Reply) else Reply(status, outcome)
    if reply.view is None:
        return Response(status_code=reply.status)
    return Response(reply.view.model_dump_json().encode(), reply.status, media_type="application/json")


async def _remember(tx: Transaction, fresh: idempotency.Fresh, response: Response) -> None:
    await idempotency.remember(
        tx,
        fresh,
        status=response.status_code,
        body=bytes(response.body),
        media_type=response.media_type or "application/json",
    )


def _replay(stored: idempotency.Replay) -> Response:
    headers = {REPLAYED: "true"}
    if not stored.body:
        return Response(status_code=stored.status, headers=headers)
    return Response(stored.body, stored.status, headers, media_type=stored.media_type)
