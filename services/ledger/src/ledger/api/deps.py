"""What the routes work with."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, Request

from ledger.ports import Tx


class Deps(Protocol):
    """`reading` may lag behind the primary; a driver's balance is read where payouts are decided."""

    @property
    def transaction(self) -> Callable[[], AbstractAsyncContextManager[Any]]: ...
    @property
    def reading(self) -> Callable[[], AbstractAsyncContextManager[Tx]]: ...

    def now(self) -> datetime: ...


async def _deps(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


DepsDep = Annotated[Deps, Depends(_deps)]
