"""What the routes work with."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Any, Protocol, cast
from uuid import UUID

from fastapi import Depends, Request

import web
from payout.domain.policy import Policy
from payout.domain.standing import Standing


class Deps(Protocol):
    """`transaction` opens payout's transaction; a driver reads what they just wrote, so never a replica."""

    @property
    def transaction(self) -> Callable[[], AbstractAsyncContextManager[Any]]: ...
    @property
    def policy(self) -> Policy: ...

    def now(self) -> datetime: ...


async def _deps(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


DepsDep = Annotated[Deps, Depends(_deps)]


async def require_known(deps: Deps, driver_id: UUID) -> Standing:
    """The driver's standing, given a moment to arrive. Raises NotYetKnown."""

    async def read() -> Standing | None:
        async with deps.transaction() as tx:
            standing: Standing | None = await tx.standings.get(driver_id)
        return standing

    return await web.wait_until_known(read)
