"""What routes work with."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from notification.api.hub import Hub
from notification.ports import FastTickets


class Deps(Protocol):
    """`hub` holds this process's sockets; `public_url` is the gateway's."""

    @property
    def transaction(self) -> Callable[[], AbstractAsyncContextManager[Any]]: ...
    @property
    def fast_tickets(self) -> FastTickets: ...
    @property
    def ticket_ttl_s(self) -> int: ...
    @property
    def heartbeat_s(self) -> int: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def public_url(self) -> str: ...

    def now(self) -> datetime: ...


async def _deps(connection: HTTPConnection) -> Deps:
    return cast(Deps, connection.app.state.deps)


DepsDep = Annotated[Deps, Depends(_deps)]
