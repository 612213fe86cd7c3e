"""What the effects need from outside: services that answer, sockets, limits."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.closes import Close
from gateway.domain.headers import Header
from gateway.domain.limits import Standing, Window
from kernel.refusals import Refusal, Unavailable


class ServiceTooSlow(Refusal):
    """The service did not answer in time. Whether it did what was asked is unknown."""

    code = "upstream_timeout"
    status = 504
    final = False
    pt = "O serviço demorou demais para responder. Tente de novo em instantes."
    en = "The service took too long to answer. Try again in a moment."


class ServiceDown(Unavailable):
    """The service cannot be reached."""


class HandshakeRefused(Exception):
    """The service refused the socket with this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"handshake refused with {status}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to a service. `path` is the service's own; `query` is raw."""

    service: str
    method: str
    path: str
    query: bytes
    headers: Sequence[Header]
    body: bytes | None


class Answer(Protocol):
    """A service's answer, whose body is still on its way."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Sequence[Header]: ...

    def chunks(self) -> AsyncIterator[bytes]:
        """ServiceTooSlow and ServiceDown in the middle, too."""

    def close(self) -> None: ...


class Socket(Protocol):
    """One side of a socket."""

    async def receive(self) -> str | bytes | Close:
        """The next message, or the end."""

    async def send(self, message: str | bytes) -> None:
        """Returns when there is room for more. ConnectionError when the side has gone."""

    async def close(self, close: Close) -> None:
        """Tell the side that this is the end; one that has gone is no error."""


class Services(Protocol):
    async def call(self, call: Call) -> Answer:
        """ServiceDown, ServiceTooSlow."""

    def connect(
        self, call: Call, *, protocols: Sequence[str]
    ) -> AbstractAsyncContextManager[tuple[Socket, str | None]]:
        """A socket to a service, and the subprotocol that it chose; HandshakeRefused, ServiceDown."""


class Limiter(Protocol):
    async def hit(self, window: Window, *, key: str) -> Standing | None:
        """Count a call; None when limits are lifted. Never fails: without Valkey this process counts alone."""
