"""Passing sockets, counting requests and calling services, on fakes."""

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.domain.closes import Close
from gateway.domain.limits import Standing, TooManyRequests, Window
from gateway.effects.call_service import call_service
from gateway.effects.count_request import count_request
from gateway.effects.pass_socket import pass_socket
from gateway.ports import Answer, Call, ServiceDown

WIDE, NARROW = Window(name="user", limit=10), Window(name="accept", limit=1)


@dataclass
class FakeSocket:
    """The Socket port: messages wait in a queue; `room` lets sends through."""

    incoming: asyncio.Queue[str | bytes | Close] = field(default_factory=asyncio.Queue)
    sent: list[str | bytes] = field(default_factory=list)
    closed: list[Close] = field(default_factory=list)
    room: asyncio.Event = field(default_factory=asyncio.Event)
    gone: bool = False

    async def receive(self) -> str | bytes | Close:
        return await self.incoming.get()

    async def send(self, message: str | bytes) -> None:
        if self.gone:
            raise ConnectionResetError
        await self.room.wait()
        self.sent.append(message)

    async def close(self, close: Close) -> None:
        self.closed.append(close)


def pair() -> tuple[FakeSocket, FakeSocket]:
    client, service = FakeSocket(), FakeSocket()
    client.room.set()
    service.room.set()
    return client, service


async def test_messages_pass_both_ways_and_the_services_close_ends_it() -> None:
    client, service = pair()
    client.incoming.put_nowait("ping")
    service.incoming.put_nowait(b"bytes")
    service.incoming.put_nowait(Close(4401, "session over"))
    assert await pass_socket(client, service=service) == Close(4401, "session over")
    assert (service.sent, client.sent) == (["ping"], [b"bytes"])
    assert client.closed == [Close(4401, "session over")]


async def test_a_client_that_leaves_takes_its_service_socket_along() -> None:
    client, service = pair()
    client.incoming.put_nowait(Close(1006))
    assert await pass_socket(client, service=service) == Close(1001)
    assert service.closed == [Close(1001)]
    assert client.closed == []


async def test_a_slow_reader_slows_its_writer_down() -> None:
    client, service = pair()
    client.room.clear()
    for number in range(3):
        service.incoming.put_nowait(str(number))
    passing = asyncio.create_task(pass_socket(client, service=service))
    while service.incoming.qsize() == 3:
        await asyncio.sleep(0)
    assert (service.incoming.qsize(), client.sent) == (2, [])
    client.room.set()
    client.incoming.put_nowait(Close(1000))
    await passing


async def test_a_message_to_a_side_that_has_gone_waits_for_that_sides_end() -> None:
    client, service = pair()
    service.gone = True
    client.incoming.put_nowait("late")
    passing = asyncio.create_task(pass_socket(client, service=service))
    await asyncio.sleep(0)
    service.incoming.put_nowait(Close(1012))
    assert await passing == Close(1012)


@dataclass
class FakeLimiter:
    """The Limiter port: each window refuses once it is used up."""

    used: dict[str, int] = field(default_factory=dict)

    async def hit(self, window: Window, *, key: str) -> Standing | None:
        count = self.used[key] = self.used.get(key, 0) + 1
        return Standing(
            window=window, allowed=count <= window.limit, remaining=max(0, window.limit - count), reset_s=3
        )


async def test_the_callers_last_window_is_what_they_are_told_of() -> None:
    limiter = FakeLimiter()
    standing = await count_request(limiter, windows=[(WIDE, "u"), (NARROW, "a")])
    assert standing is not None
    assert standing.window is NARROW


async def test_the_first_full_window_refuses_and_the_later_ones_are_not_counted() -> None:
    limiter = FakeLimiter(used={"a": 1})
    with pytest.raises(TooManyRequests) as refused:
        await count_request(limiter, windows=[(NARROW, "a"), (WIDE, "u")])
    assert refused.value.standing.window is NARROW
    assert "u" not in limiter.used


class Lifted:
    async def hit(self, window: Window, *, key: str) -> Standing | None:
        return None


async def test_lifted_limits_say_nothing() -> None:
    assert await count_request(Lifted(), windows=[(WIDE, "u")]) is None


class Down:
    async def call(self, call: Call) -> Answer:
        raise ServiceDown

    def connect(self, call: Call, *, protocols: object) -> object:
        raise NotImplementedError


async def test_a_failed_call_is_refused_as_the_service_failed() -> None:
    call = Call(service="identity", method="GET", path="/me", query=b"", headers=(), body=None)
    with pytest.raises(ServiceDown):
        await call_service(Down(), call=call, route="/me")  # type: ignore[arg-type]
