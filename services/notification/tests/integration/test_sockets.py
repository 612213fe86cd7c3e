"""Sockets on real Postgres and Valkey: tickets, order, gaps, and the end of a session."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
import websockets
from notification_harness import App, Process, running
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from valkey.asyncio import Valkey
from valkey.exceptions import ConnectionError as ConnectionLost
from valkey.exceptions import TimeoutError as AnswerLate

import web
from contracts.payout import PayoutCompleted
from contracts.ride_dispatch import DriverLocationUpdated, RideNoDriverFound
from kernel.ids import new_id
from notification.adapters.fast_path import ValkeyAnnouncer, ValkeyTickets
from notification.api.socket import Ending
from notification.consumers import STREAMS, on_locations
from notification.domain.ticket import Holder
from notification.effects.announce_locations import announce_locations
from notification.settings import Settings
from telemetry import tracing
from testkit import Tokens
from testkit.proxy import FaultProxy
from web import Revocations

NOW = datetime.now(UTC)


def a_fact(passenger_id: UUID, *, searched_s: int = 1) -> RideNoDriverFound:
    return RideNoDriverFound(ride_id=new_id(), passenger_id=passenger_id, searched_s=searched_s, ended_at=NOW)


def numbers(frames: list[dict[str, Any]]) -> list[int]:
    return [frame["data"]["searched_s"] for frame in frames]


async def test_an_app_is_greeted_and_hears_of_its_messages_in_order(
    notification_settings: Settings, tokens: Tokens
) -> None:
    user = new_id()
    async with running(notification_settings, tokens) as process, process.app_of(user) as app:
        assert app.hello["type"] == "hello"
        assert app.hello["data"]["offset"] == 0
        assert app.hello["data"]["epoch"]
        await process.tell(*(a_fact(user, searched_s=n) for n in range(5)), a_fact(new_id()))
        frames = [await app.next() for _ in range(5)]
    assert numbers(frames) == list(range(5))
    assert [frame["offset"] for frame in frames] == [1, 2, 3, 4, 5]
    assert {frame["type"] for frame in frames} == {"ride.no_driver_found"}


async def test_pings_are_answered_and_other_words_are_told_to_be_unknown(
    notification_settings: Settings, tokens: Tokens
) -> None:
    async with running(notification_settings, tokens) as process, process.app_of(new_id()) as app:
        assert (await app.ask('{"type": "ping"}'))["type"] == "pong"
        assert (await app.ask('{"type": "subscribe"}'))["data"] == {"code": "unknown_type"}
        assert (await app.ask("{"))["data"] == {"code": "malformed_json"}
        assert (await app.ask("[" * 4000))["data"] == {"code": "malformed_json"}
        assert (await app.ask(b"\x00\xff"))["data"] == {"code": "malformed_json"}
        assert (await app.ask(b'{"type": "ping"}'))["type"] == "pong"


async def test_a_message_reaches_whichever_process_holds_the_socket(
    notification_settings: Settings, tokens: Tokens
) -> None:
    user = new_id()
    async with (
        running(notification_settings, tokens) as holder,
        running(notification_settings, tokens) as writer,
        holder.app_of(user) as app,
    ):
        await writer.tell(a_fact(user))
        assert (await app.next())["offset"] == 1


async def test_the_frame_is_sent_within_the_trace_that_caused_it_and_does_not_show_it(
    notification_settings: Settings, tokens: Tokens, spans: InMemorySpanExporter
) -> None:
    user = new_id()
    async with (
        running(notification_settings, tokens) as holder,
        running(notification_settings, tokens) as writer,
        holder.app_of(user) as app,
    ):
        with tracing.span("process", kind=tracing.CONSUMER) as cause:
            await writer.tell(a_fact(user))
        frame = await app.next()
        await app.ask('{"type": "ping"}')
    assert set(frame) == {"type", "id", "occurred_at", "data", "offset"}
    sent = [span for span in spans.get_finished_spans() if span.name.startswith("send ")]
    assert [span.name for span in sent] == ["send ride.no_driver_found"]
    assert sent[0].parent is not None
    assert sent[0].parent.span_id == cause.get_span_context().span_id
    assert (sent[0].attributes or {})["messaging.message.id"] == frame["id"]


async def test_a_message_from_the_log_continues_its_trace(
    notification_settings: Settings, tokens: Tokens, spans: InMemorySpanExporter
) -> None:
    user = new_id()
    async with running(notification_settings, tokens) as process:
        async with process.app_of(user) as app:
            epoch = app.hello["data"]["epoch"]
        with tracing.span("process", kind=tracing.CONSUMER) as cause:
            await process.tell(a_fact(user))
        async with process.app_of(user, query=f"?epoch={epoch}&offset=0") as app:
            frame = await app.next()
            assert "traceparent" not in str(frame)
    sent = [span for span in spans.get_finished_spans() if span.name == "send ride.no_driver_found"]
    # The socket that has just closed may still have been told too.
    assert {span.context.trace_id for span in sent if span.context} == {cause.get_span_context().trace_id}


async def refused(process: Process, ticket: str) -> int:
    """The HTTP status of a handshake that must fail."""
    with pytest.raises(websockets.InvalidStatus) as refusal:
        await websockets.connect(f"ws://127.0.0.1:{process.port}/ws/{ticket}")
    return refusal.value.response.status_code


async def test_a_ticket_is_worth_one_socket(notification_settings: Settings, tokens: Tokens) -> None:
    async with running(notification_settings, tokens) as process:
        ticket = await process.ticket(new_id())
        async with websockets.connect(f"ws://127.0.0.1:{process.port}/ws/{ticket}"):
            assert await refused(process, ticket) == 403
        assert await refused(process, "made-up") == 403


async def test_of_fifty_who_show_one_ticket_one_gets_in(
    notification_settings: Settings, tokens: Tokens
) -> None:
    async with running(notification_settings, tokens) as process:
        url = f"ws://127.0.0.1:{process.port}/ws/{await process.ticket(new_id())}"
        tries = await asyncio.gather(*(websockets.connect(url) for _ in range(50)), return_exceptions=True)
        entered = [one for one in tries if isinstance(one, websockets.ClientConnection)]
        for one in entered:
            await one.close()
    assert len(entered) == 1


async def test_an_access_token_is_no_ticket(notification_settings: Settings, tokens: Tokens) -> None:
    async with running(notification_settings, tokens) as process:
        assert await refused(process, tokens.token(new_id(), "passenger")) == 403
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.port}") as client:
            assert (await client.post("/ws/tickets")).status_code == 401
            made = await client.post("/ws/tickets", headers=tokens.headers(new_id(), "driver"))
    assert made.json()["url"] == f"ws://gateway.test:8000/v1/ws/{made.json()['ticket']}"
    assert made.json()["expires_in"] == 30


async def test_a_lost_connection_goes_on_where_it_was(
    notification_settings: Settings, tokens: Tokens
) -> None:
    user = new_id()
    async with running(notification_settings, tokens) as process:
        async with process.app_of(user) as app:
            epoch = app.hello["data"]["epoch"]
            await process.tell(a_fact(user, searched_s=1))
            seen = await app.next()
        await process.tell(*(a_fact(user, searched_s=n) for n in (2, 3)))
        async with process.app_of(user, query=f"?epoch={epoch}&offset={seen['offset']}") as app:
            missed = [await app.next() for _ in range(2)]
            await process.tell(a_fact(user, searched_s=4))
            assert numbers([*missed, await app.next()]) == [2, 3, 4]
        async with process.app_of(user, query="?epoch=another&offset=1") as app:
            assert app.hello["data"]["offset"] == 4


async def test_messages_written_at_once_arrive_once_each_and_in_order(
    notification_settings: Settings, tokens: Tokens
) -> None:
    user = new_id()
    async with (
        running(notification_settings, tokens) as one,
        running(notification_settings, tokens) as two,
        one.app_of(user) as app,
    ):
        await asyncio.gather(*((one, two)[n % 2].tell(a_fact(user, searched_s=n)) for n in range(60)))
        frames = [await app.next() for _ in range(60)]
    assert [frame["offset"] for frame in frames] == list(range(1, 61))
    assert sorted(numbers(frames)) == list(range(60))


class Cutting(Valkey):
    """Loses one answer of those that say who took a ticket."""

    lost: Exception | None = None

    async def set(self, name: Any, value: Any, **options: Any) -> Any:
        answer = await super().set(name, value, **options)
        if options.get("nx") and self.lost is not None:
            lost, self.lost = self.lost, None
            raise lost
        return answer


@pytest.mark.parametrize("lost", [ConnectionLost("reset"), AnswerLate("too late"), OSError("broken pipe")])
async def test_a_ticket_is_not_lost_with_one_answer_and_still_worth_one_socket(
    notification_settings: Settings, lost: Exception
) -> None:
    holder = Holder(
        user_id=new_id(),
        user_type="driver",
        session_id=new_id(),
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )
    valkey = Cutting.from_url(str(notification_settings.valkey_url), decode_responses=True)
    tickets, hashed = ValkeyTickets(valkey), uuid4().hex
    await tickets.keep(hashed, holder, ttl_s=30)
    valkey.lost = lost

    assert await tickets.take(hashed, ttl_s=30) == holder
    assert valkey.lost is None
    assert await tickets.take(hashed, ttl_s=30) is None
    assert await valkey.ttl(f"ibora:ticket-taken:{hashed}") > 30
    assert not await valkey.exists(f"ibora:ticket:{hashed}")
    await valkey.aclose()


async def test_a_ticket_that_somebody_took_is_nobody_elses_while_it_is_still_there(
    notification_settings: Settings,
) -> None:
    valkey = Valkey.from_url(str(notification_settings.valkey_url), decode_responses=True)
    tickets, hashed = ValkeyTickets(valkey), uuid4().hex
    await valkey.set(f"ibora:ticket:{hashed}", "{}", ex=30)
    await valkey.set(f"ibora:ticket-taken:{hashed}", "another", ex=60)

    assert await tickets.take(hashed, ttl_s=30) is None
    unknown = uuid4().hex
    assert await tickets.take(unknown, ttl_s=30) is None
    assert not await valkey.exists(f"ibora:ticket-taken:{unknown}")
    await valkey.aclose()


async def test_without_valkey_tickets_and_messages_still_work(
    notification_settings: Settings, tokens: Tokens
) -> None:
    settings = notification_settings.model_copy(update={"valkey_url": "redis://127.0.0.1:1"})
    user = new_id()
    async with running(settings, tokens) as process:
        ticket = await process.ticket(user)
        async with websockets.connect(f"ws://127.0.0.1:{process.port}/ws/{ticket}") as connection:
            app = App(connection)
            await app.next()
            await process.tell(a_fact(user))
            assert (await app.next())["offset"] == 1
        assert await refused(process, ticket) == 403


async def test_an_announcement_that_was_lost_is_found_in_the_log(
    notification_settings: Settings, tokens: Tokens
) -> None:
    user = new_id()
    deaf = notification_settings.model_copy(update={"valkey_url": "redis://127.0.0.1:1"})
    async with (
        running(notification_settings, tokens) as holder,
        running(deaf, tokens) as writer,
        holder.app_of(user) as app,
    ):
        await writer.tell(a_fact(user, searched_s=1))
        await holder.tell(a_fact(user, searched_s=2))
        assert numbers([await app.next(), await app.next()]) == [1, 2]


async def test_a_position_goes_to_the_passenger_of_that_ride_only(
    notification_settings: Settings, tokens: Tokens
) -> None:
    passenger, other = new_id(), new_id()
    fact = DriverLocationUpdated(
        driver_id=new_id(), lat=-23.5, lon=-46.6, recorded_at=NOW, ride_id=new_id(), passenger_id=passenger
    )
    assert STREAMS[DriverLocationUpdated] is on_locations
    async with (
        running(notification_settings, tokens) as process,
        process.app_of(passenger) as waiting,
        process.app_of(other) as stranger,
    ):
        valkey = Valkey.from_url(str(notification_settings.valkey_url), decode_responses=True)
        told = await announce_locations(ValkeyAnnouncer(valkey), points=[(fact, new_id())])
        await valkey.aclose()
        frame = await waiting.next()
        assert (await stranger.ask('{"type": "ping"}'))["type"] == "pong"
    assert told == 1
    assert frame["data"]["lat"] == -23.5
    assert "offset" not in frame


async def test_a_socket_dies_with_its_session_within_five_seconds(
    notification_settings: Settings, tokens: Tokens
) -> None:
    user, session = new_id(), uuid4()
    revocations = Revocations(valkey_url=notification_settings.valkey_url)
    async with (
        running(notification_settings, tokens, revocations=revocations) as process,
        process.app_of(user, session_id=session) as app,
        process.app_of(user) as another,
    ):
        valkey = Valkey.from_url(str(notification_settings.valkey_url))
        await web.revocations.write(valkey, session_id=session, not_before=datetime.now(UTC), ttl_s=900)
        await valkey.aclose()
        assert await app.closed(timeout_s=5) == Ending.SESSION_OVER.value[0]
        assert (await another.ask('{"type": "ping"}'))["type"] == "pong"


async def test_a_socket_ends_with_its_token(notification_settings: Settings, tokens: Tokens) -> None:
    soon = int((datetime.now(UTC) + timedelta(seconds=2)).timestamp())
    async with (
        running(notification_settings, tokens) as process,
        process.app_of(new_id(), claims={"exp": soon}) as app,
    ):
        assert await app.closed() == 4401


async def test_a_restart_closes_sockets_with_1012(notification_settings: Settings, tokens: Tokens) -> None:
    async with running(notification_settings, tokens) as process, process.app_of(new_id()) as app:
        process.stopping.ask()
        assert await app.closed() == 1012


async def test_a_chatterbox_is_shown_the_door(notification_settings: Settings, tokens: Tokens) -> None:
    async with running(notification_settings, tokens) as process, process.app_of(new_id()) as app:
        for _ in range(121):
            await app.connection.send('{"type": "ping"}')
        assert await app.closed() == 1008


async def test_a_user_keeps_the_newest_five_sockets(notification_settings: Settings, tokens: Tokens) -> None:
    user = new_id()
    async with running(notification_settings, tokens) as process, AsyncExitStack() as stack:
        apps = [await stack.enter_async_context(process.app_of(user)) for _ in range(6)]
        assert await apps[0].closed() == 4409
        assert (await apps[5].ask('{"type": "ping"}'))["type"] == "pong"


async def test_a_driver_hears_of_the_payout(notification_settings: Settings, tokens: Tokens) -> None:
    driver, payout = new_id(), new_id()
    fact = PayoutCompleted(
        driver_id=driver,
        payout_id=payout,
        amount="30.00",
        id_envio=payout.hex,
        e2e_id="E1",
        fee="0.00",
        completed_at=NOW,
    )
    async with running(notification_settings, tokens) as process, process.app_of(driver) as app:
        await process.tell(fact)
        frame = await app.next()
    assert (frame["type"], frame["data"]["payout_id"], frame["data"]["amount"]) == (
        "payout.completed",
        str(payout),
        "30.00",
    )
    assert "id_envio" not in frame["data"]


async def test_apps_that_join_while_the_connection_to_valkey_breaks_are_told_all(
    notification_settings: Settings, tokens: Tokens, tcp_proxy: Callable[[str], Awaitable[FaultProxy]]
) -> None:
    """Many subscribe over one connection that is cut again and again: the hub lives on, and everybody is told.

    A ticket can be lost with the connection; an app that is refused asks for another one.
    """
    address = urlsplit(str(notification_settings.valkey_url))
    proxy = await tcp_proxy(address.netloc)
    settings = notification_settings.model_copy(
        update={"valkey_url": f"redis://{proxy.address}{address.path}"}
    )
    drivers = [new_id() for _ in range(12)]
    async with running(settings, tokens) as process, AsyncExitStack() as apps:
        cutting = asyncio.create_task(_cut(proxy))
        try:
            joining = [_join(process, driver, apps) for driver in drivers]
            connected = await asyncio.gather(*joining)
        finally:
            cutting.cancel()
            await asyncio.gather(cutting, return_exceptions=True)
        await process.tell(*map(a_payout, drivers))
        for app in connected:
            assert (await app.next())["type"] == "payout.completed"
        assert process.deps.hub.unhealthy() is None


async def _join(process: Process, driver: UUID, apps: AsyncExitStack) -> App:
    for _ in range(20):
        with suppress(websockets.InvalidStatus):
            return await apps.enter_async_context(process.app_of(driver))
    raise AssertionError("refused with twenty tickets")


async def _cut(proxy: FaultProxy) -> None:
    while True:
        await proxy.drop()
        await asyncio.sleep(0.005)


def a_payout(driver_id: UUID) -> PayoutCompleted:
    payout_id = new_id()
    return PayoutCompleted(
        driver_id=driver_id,
        payout_id=payout_id,
        amount=Decimal("30.00"),
        id_envio=payout_id.hex,
        e2e_id="E1",
        fee=Decimal("0.00"),
        completed_at=NOW,
    )
