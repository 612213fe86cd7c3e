"""What a broken connection to Valkey may do to those who listen on it: nothing worse than `away`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, cast
from uuid import UUID

import pytest
from valkey.asyncio import Valkey

from kernel.ids import new_id
from notification.adapters.fast_path import ValkeyAnnouncements
from notification.api.hub import Hub
from notification.ports import Announced, FastPathAway
from testkit import eventually

# What valkey-py and uvloop raise when another task has just lost the connection that this one writes to.
LOST_UNDER_US = [
    RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"),
    AttributeError("'NoneType' object has no attribute 'writelines'"),
]


class FakePubSub:
    """Remembers its channels; `subscribe` raises `error` when there is one. Nothing is ever announced."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.channels: set[str] = set()

    async def subscribe(self, *channels: str) -> None:
        if self.error is not None:
            raise self.error
        self.channels |= set(channels)

    async def get_message(self, **_: object) -> None:
        await asyncio.sleep(0)

    async def aclose(self) -> None:
        self.channels.clear()


class FakeValkey:
    def __init__(self, *connections: FakePubSub) -> None:
        self._connections = list(connections)

    def pubsub(self, **_: Any) -> FakePubSub:
        return self._connections.pop(0)


def announcements(*connections: FakePubSub) -> ValkeyAnnouncements:
    return ValkeyAnnouncements(cast(Valkey, FakeValkey(*connections)))


@pytest.mark.parametrize("error", LOST_UNDER_US)
async def test_a_connection_lost_under_a_subscriber_is_away_and_no_bug(error: Exception) -> None:
    with pytest.raises(FastPathAway):
        await announcements(FakePubSub(error)).listen_for(new_id())


async def test_a_channel_that_could_not_be_added_is_on_the_next_connection() -> None:
    """The connection fails one subscription and then seems well, but does not know all of its channels."""
    first, second = FakePubSub(), FakePubSub()
    listening, user_id = announcements(FakePubSub(), first, second), new_id()
    hearing = asyncio.ensure_future(anext(listening.frames()))
    await eventually(lambda: first.channels)
    first.error = LOST_UNDER_US[0]
    with pytest.raises(FastPathAway):
        await listening.listen_for(user_id)
    first.error = None
    with pytest.raises(FastPathAway):
        await hearing
    hearing = asyncio.ensure_future(anext(listening.frames()))
    await eventually(lambda: f"ibora:user:{user_id}" in second.channels)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)


class Garbled:
    """Announcements whose first frame nobody can read."""

    def __init__(self) -> None:
        self.turns = 0

    async def listen_for(self, user_id: UUID) -> None:
        """Everybody is listened for."""

    async def forget(self, user_id: UUID) -> None:
        """Nobody is."""

    async def frames(self) -> AsyncIterator[Announced]:
        self.turns += 1
        if self.turns == 1:
            raise ValueError("no JSON")
        yield Announced(user_id=new_id(), frame={"type": "pong"})
        await asyncio.Event().wait()


def no_database() -> AbstractAsyncContextManager[Any]:
    raise AssertionError("nobody is connected")


async def test_the_hub_listens_again_after_a_frame_that_nobody_can_read() -> None:
    garbled = Garbled()
    hub = Hub(garbled, transaction=no_database, over=lambda holder: False)
    await hub.start()
    try:
        await eventually(lambda: garbled.turns > 1)
        assert hub.unhealthy() is None
    finally:
        await hub.stop()
