"""Valkey: tickets, and announcements from the worker to the processes that hold sockets."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final
from uuid import UUID

from valkey.asyncio import Valkey
from valkey.asyncio.client import PubSub
from valkey.exceptions import ValkeyError

from notification.adapters.tickets import holder_json, holder_of
from notification.domain.message import Logged, Message, frame
from notification.domain.ticket import Holder
from notification.ports import Announced, FastPathAway
from telemetry.tracing import TRACEPARENT

_TICKET: Final = "ibora:ticket:"
_TAKEN: Final = "ibora:ticket-taken:"
_LOOK_S: Final = 1.0
_CHANNEL: Final = "ibora:user:"


class ValkeyTickets:
    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey

    async def keep(self, ticket_hash: str, holder: Holder, *, ttl_s: int) -> None:
        with _away():
            await self._valkey.set(_TICKET + ticket_hash, holder_json(holder), ex=ttl_s)

    async def take(self, ticket_hash: str, *, ttl_s: int) -> Holder | None:
        taker = secrets.token_hex(16)
        with suppress(FastPathAway), _away():
            return await self._take(ticket_hash, taker=taker, ttl_s=ttl_s)
        with _away():
            return await self._take(ticket_hash, taker=taker, ttl_s=ttl_s)

    async def _take(self, ticket_hash: str, *, taker: str, ttl_s: int) -> Holder | None:
        """Whoever writes their name first has it. Deleted instead, it would be lost with an answer on its way."""
        stored = await self._valkey.get(_TICKET + ticket_hash)
        if stored is None:
            return None
        # Twice its life: the name must outlast the ticket.
        first = await self._valkey.set(_TAKEN + ticket_hash, taker, nx=True, get=True, ex=2 * ttl_s)
        if first not in (None, taker):
            return None
        # Of no use any more, and an older version beside us would take it once more.
        await self._valkey.delete(_TICKET + ticket_hash)
        return holder_of(stored)


class ValkeyAnnouncer:
    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey

    async def announce(self, logged: Sequence[Logged]) -> None:
        if not logged:
            return
        with _away():
            async with self._valkey.pipeline(transaction=False) as pipe:
                for entry in logged:
                    pipe.publish(f"{_CHANNEL}{entry.message.user_id}", announcement(entry))
                await pipe.execute()

    async def announce_location(self, message: Message) -> None:
        with _away():
            await self._valkey.publish(f"{_CHANNEL}{message.user_id}", json.dumps(frame(message)))


class ValkeyAnnouncements:
    """One subscription connection a process; it is made anew after a loss, with all its channels."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self._users: set[UUID] = set()
        self._pubsub = valkey.pubsub(ignore_subscribe_messages=True)
        self._turn = asyncio.Lock()
        self._lost = False

    async def listen_for(self, user_id: UUID) -> None:
        self._users.add(user_id)
        await self._change(lambda pubsub: pubsub.subscribe(_channel(user_id)))

    async def forget(self, user_id: UUID) -> None:
        self._users.discard(user_id)
        await self._change(lambda pubsub: pubsub.unsubscribe(_channel(user_id)))

    async def frames(self) -> AsyncIterator[Announced]:
        await self._connect()
        while True:
            with _away():
                message = await self._pubsub.get_message(timeout=_LOOK_S)
            if self._lost:
                raise FastPathAway("a channel could not be added")
            if message is not None:
                user_id = UUID(message["channel"].removeprefix(_CHANNEL))
                yield announced(user_id, message["data"])

    async def aclose(self) -> None:
        with suppress(FastPathAway), _away():
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _connect(self) -> None:
        async with self._turn:
            await self.aclose()
            self._pubsub = self._valkey.pubsub(ignore_subscribe_messages=True)
            # A channel of its own keeps the connection open while no user is connected.
            channels = [f"{_CHANNEL}none", *map(_channel, self._users)]
            with _away():
                await self._pubsub.subscribe(*channels)
            self._lost = False

    async def _change(self, change: Callable[[PubSub], Awaitable[object]]) -> None:
        """One at a time: two who write to one lost connection would both repair it. A connection that
        failed is made anew, because it may not know all of its channels."""
        async with self._turn:
            try:
                with _away():
                    await change(self._pubsub)
            except FastPathAway:
                self._lost = True
                raise


def _channel(user_id: UUID) -> str:
    return f"{_CHANNEL}{user_id}"


def announcement(entry: Logged) -> str:
    """The frame's fields and, beside them, the context of the trace."""
    made = frame(entry.message, offset=entry.offset)
    if entry.traceparent is not None:
        made[TRACEPARENT] = entry.traceparent
    return json.dumps(made)


def announced(user_id: UUID, data: str) -> Announced:
    """What `announcement` wrote, taken apart: no app sees the context."""
    made = json.loads(data)
    return Announced(user_id=user_id, traceparent=made.pop(TRACEPARENT, None), frame=made)


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    # On a connection that another task has just lost the client and its event loop raise these two as well.
    except (ValkeyError, OSError, TimeoutError, RuntimeError, AttributeError) as error:
        raise FastPathAway(type(error).__name__) from error
