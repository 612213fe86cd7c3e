"""What routes work with."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, Request


class Deps(Protocol):
    @property
    def reading(self) -> Callable[[], AbstractAsyncContextManager[Any]]: ...


async def _deps(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


DepsDep = Annotated[Deps, Depends(_deps)]
