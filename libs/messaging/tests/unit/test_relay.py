"""The relay's decisions, against a fake outbox and a fake broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from messaging_fakes import FakeBroker, FakeOutbox

from messaging import KafkaSettings, nudge
from messaging.relay import Relay
from testkit import eventually


@asynccontextmanager
async def relaying(outbox: FakeOutbox, broker: FakeBroker, **changes: Any) -> AsyncIterator[Relay]:
    settings = KafkaSettings(kafka_bootstrap="nowhere").model_copy(update=changes)
    reasons: list[str] = []
    relay = Relay(source=outbox, open_publisher=broker.open, settings=settings, on_give_up=reasons.append)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await asyncio.wait_for(task, 10)


async def test_rows_are_published_in_order_and_deleted() -> None:
    outbox, broker = FakeOutbox(*((f"k{n % 3}", b"%d" % n) for n in range(25))), FakeBroker()
    async with relaying(outbox, broker, relay_batch=10):
        await eventually(lambda: not outbox.rows)
    assert broker.log == [b"%d" % n for n in range(25)]
    assert broker.publishers[0].ended == "closed"


async def test_a_poison_row_is_found_and_its_key_held_while_others_flow() -> None:
    outbox = FakeOutbox(
        ("good", b"g1"), ("bad", b"poison"), ("good", b"g2"), ("bad", b"b2"), ("other", b"o1")
    )
    broker = FakeBroker()
    broker.poison = {b"poison"}
    async with relaying(outbox, broker):
        await eventually(lambda: not outbox.rows)
    assert broker.log == [b"g1", b"g2", b"o1"]
    assert outbox.quarantine_states == {2: "head", 4: "held"}
    assert [publisher.ended for publisher in broker.publishers] == ["killed", "killed", "closed"]


async def test_a_fenced_relay_throws_its_producer_away_and_starts_a_term() -> None:
    outbox, broker = FakeOutbox(("k", b"1")), FakeBroker()
    outbox.foreign = True
    async with relaying(outbox, broker):
        await eventually(lambda: outbox.terms >= 2)
        outbox.foreign = False
        await eventually(lambda: not outbox.rows)
    assert broker.publishers[0].ended == "killed"


async def test_a_silent_broker_makes_it_slow_then_unhealthy_and_the_producer_is_replaced() -> None:
    outbox, broker = FakeOutbox(("k", b"1")), FakeBroker()
    broker.silent = True
    async with relaying(outbox, broker, relay_slow_s=0.5, relay_give_up_s=1.5) as relay:
        await eventually(lambda: relay.slow())
        assert relay.unhealthy() is None
        await eventually(lambda: relay.unhealthy())
        assert broker.publishers[0].ended == "killed"
        assert outbox.rows, "what was not acknowledged is not deleted"
        broker.silent = False
        await eventually(lambda: not outbox.rows)
        await eventually(lambda: relay.unhealthy() is None)
        assert relay.slow() is None


async def test_a_nudge_wakes_an_idle_relay() -> None:
    outbox, broker = FakeOutbox(("k", b"1")), FakeBroker()
    async with relaying(outbox, broker, relay_idle_ms=(60_000, 60_000)):
        await eventually(lambda: not outbox.rows)
        outbox.rows = FakeOutbox(("k", b"0"), ("k", b"2")).rows[1:]
        nudge()
        await eventually(lambda: broker.log == [b"1", b"2"])
