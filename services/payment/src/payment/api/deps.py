"""What routes work with."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, Request

from payment.domain.policy import Policy
from payment.ports import Provider, Vault


class Deps(Protocol):
    """`transaction` opens payment's transaction; the use cases see it as `ports.Tx`."""

    @property
    def transaction(self) -> Callable[[], AbstractAsyncContextManager[Any]]: ...
    @property
    def provider(self) -> Provider: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def vault(self) -> Vault: ...

    def now(self) -> datetime: ...


async def _deps(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


DepsDep = Annotated[Deps, Depends(_deps)]
