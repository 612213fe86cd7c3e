"""What the routes are given: transactions, passwords, limits, tokens."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, cast

from fastapi import Depends
from starlette.requests import Request

from identity.domain.session import SessionPolicy
from identity.ports import AccessTokens, Attempts, OpenTransaction, Passwords
from kernel.actor import Actor
from kernel.clock import Clock
from web.clients import ADDRESS_HEADER, AGENT_HEADER, from_gateway
from web.problems import request_id_of
from web.refusals import InvalidToken, Unauthenticated
from web.secret_files import SecretFile

MAX_AGENT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """`reading` may lag behind; `refresh_key` derives refresh tokens; `service_token` lets services in."""

    transaction: OpenTransaction
    reading: OpenTransaction
    passwords: Passwords
    attempts: Attempts
    tokens: AccessTokens
    policy: SessionPolicy
    refresh_key: bytes
    service_token: SecretFile
    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()


async def _deps(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


DepsDep = Annotated[Deps, Depends(_deps)]


async def _anyone(request: Request) -> Actor:
    """Somebody who has not proved who they are: address and agent as the gateway tells them."""
    trusted = from_gateway(request)
    agent = request.headers.get(AGENT_HEADER) if trusted else None
    return Actor(
        user_id=None,
        user_type="anonymous",
        ip_address=request.headers.get(ADDRESS_HEADER) if trusted else None,
        user_agent=agent[:MAX_AGENT] if agent else None,
        request_id=request_id_of(request) or None,
    )


Anyone = Annotated[Actor, Depends(_anyone)]


async def _service(request: Request, deps: DepsDep) -> Actor:
    """Another service of ours, by the shared token. Unauthenticated, InvalidToken."""
    sent = request.headers.getlist("authorization")
    if not sent:
        raise Unauthenticated
    expected = f"Bearer {deps.service_token.value()}"
    if len(sent) != 1 or not hmac.compare_digest(sent[0].encode(), expected.encode()):
        raise InvalidToken
    return Actor(user_id=None, user_type="system", request_id=request_id_of(request) or None)


ServiceOnly = Annotated[Actor, Depends(_service)]
