"""What the verbs need from outside."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from notification.domain.message import Logged, Message
from notification.domain.ticket import Holder


class MessageLog(Protocol):
    def add(self, messages: Sequence[Message]) -> None:
        """Append to the users' logs when the transaction commits; live sockets hear of it after that."""

    async def epoch(self) -> str:
        """The identity of this log: another one after the log was lost or restored."""

    async def last_offset(self, user_id: UUID) -> int:
        """The newest offset of a user's log; 0 when it is empty."""

    async def after(self, positions: Mapping[UUID, int], *, limit: int) -> Sequence[Logged]:
        """Messages beyond each user's position, each user's in order; `limit` for all together."""

    async def drop_before(self, before: datetime, *, limit: int) -> int: ...


class Tickets(Protocol):
    async def keep(self, ticket_hash: str, holder: Holder, *, until: datetime) -> None: ...

    async def take(self, ticket_hash: str, *, now: datetime) -> Holder | None:
        """The holder, once."""

    async def drop_before(self, before: datetime) -> int: ...


class Tx(Protocol):
    @property
    def log(self) -> MessageLog: ...
    @property
    def tickets(self) -> Tickets: ...


class FastTickets(Protocol):
    """Tickets in Valkey; raises FastPathAway when it does not answer."""

    async def keep(self, ticket_hash: str, holder: Holder, *, ttl_s: int) -> None: ...

    async def take(self, ticket_hash: str, *, ttl_s: int) -> Holder | None:
        """Whose it is, for the first who asks; None for everybody else."""


class FastPathAway(Exception):
    """Valkey does not answer: Postgres does its work meanwhile."""


class Announcer(Protocol):
    """Tells the processes that hold sockets."""

    async def announce(self, logged: Sequence[Logged]) -> None: ...

    async def announce_location(self, message: Message) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A frame for the sockets of a user, and the trace that caused it."""

    user_id: UUID
    frame: Mapping[str, Any]
    traceparent: str | None = None


class Announcements(Protocol):
    """What the worker announces, as a process with sockets hears it."""

    async def listen_for(self, user_id: UUID) -> None: ...

    async def forget(self, user_id: UUID) -> None: ...

    def frames(self) -> AsyncIterator[Announced]:
        """As they come; raises FastPathAway when Valkey is lost."""


class Deps(Protocol):
    """What routes and effects work with."""

    @property
    def transaction(self) -> Callable[[], AbstractAsyncContextManager[Tx]]: ...
    @property
    def fast_tickets(self) -> FastTickets: ...
    @property
    def ticket_ttl_s(self) -> int: ...

    def now(self) -> datetime: ...
