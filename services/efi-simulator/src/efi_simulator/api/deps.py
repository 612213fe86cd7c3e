"""What the routes work with, made by main."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from efi_simulator.api.events import Events
from efi_simulator.api.tokens import Tokens
from efi_simulator.domain.bank import Bank
from efi_simulator.domain.modes import ApiMode, Mode, WebhookMode
from efi_simulator.domain.refusals import MissingScope, Unauthorized
from efi_simulator.ports import Keep, Post
from kernel.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """`wake` tells the clockwork that something changed; `keep` returns once all of it is on disk; `hang_s`
    and `slow_s` are seconds."""

    bank: Bank
    clock: Clock
    tokens: Tokens
    post: Post
    api_mode: Mode[ApiMode]
    webhook_mode: Mode[WebhookMode]
    wake: Callable[[], None]
    unhealthy: Callable[[], str | None]
    keep: Keep
    events: Events
    hang_s: float
    slow_s: float


def deps_of(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps


async def _deps(request: Request) -> Deps:
    return deps_of(request)


DepsDep = Annotated[Deps, Depends(_deps)]


def allowed(scope: str) -> Any:
    """Unauthorized unless the request bears a token of ours that is still good; MissingScope without `scope`."""

    async def check(request: Request) -> None:
        deps = deps_of(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not deps.tokens.is_good(token, now=deps.clock.now()):
            raise Unauthorized
        if scope in deps.bank.rules.missing_scopes:
            raise MissingScope

    return Depends(check)
