"""The consumer's promises: one effect an event, in order, whatever the handler or the record does."""

import asyncio
import json
from functools import partial

import pytest
from messaging_samples import (
    Rig,
    committed_offset,
    keys_of_one_partition,
    metric,
    produce,
    read_topic,
    recorded,
    write_effect,
)
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from contracts.audit import AuditRecorded
from contracts.topics import AUDIT
from kernel.ids import new_id
from kernel.refusals import NotYetKnown, Refusal
from messaging import Delivery, deadletters, failpoints
from storage import Transaction
from telemetry.tracing import current_headers, record_spans, span
from testkit import eventually

HANDLERS = {AuditRecorded: write_effect}


async def has_effects(rig: Rig, wanted: list[str], *, key: str | None = None) -> bool:
    assert await rig.effects(key) == wanted
    return True


async def test_events_have_their_effect_once_and_in_order(rig: Rig) -> None:
    async with rig.working(HANDLERS):
        for n in range(100):
            await rig.publish(recorded("a", str(n)), recorded("b", str(n)), version=n + 1)
        wanted = [str(n) for n in range(100)]
        await eventually(partial(has_effects, rig, wanted, key="a"))
        await eventually(partial(has_effects, rig, wanted, key="b"))
        await eventually(partial(_committed, rig, 200))
    assert await rig.scalar("SELECT count(*) FROM inbox") == 200


async def _committed(rig: Rig, wanted: int) -> bool:
    assert await committed_offset(rig.settings) == wanted
    return True


async def test_a_handler_publishes_in_the_transaction_of_its_effect(rig: Rig) -> None:
    spans = record_spans()

    async def answer(tx: Transaction, fact: AuditRecorded, delivery: Delivery) -> None:
        await write_effect(tx, fact, delivery)
        if fact.reason == "ask":
            assert current_headers()
            await tx.publish(recorded("answers", "answer"))

    async with rig.working({AuditRecorded: answer}):
        with span("tap"):
            await rig.publish(recorded("asks", "ask"))
        await eventually(partial(has_effects, rig, ["ask", "answer"]))
    asked, answered = sorted(
        (
            {name: value.decode() for name, value in record.headers}
            for record in await read_topic(rig.settings)
        ),
        key=lambda headers: headers["ce_time"],
    )
    assert answered["ce_causationid"] == asked["ce_id"]
    assert answered["ce_correlationid"] == asked["ce_correlationid"]
    assert answered["traceparent"].split("-")[1] == asked["traceparent"].split("-")[1]
    processed = [s for s in spans.get_finished_spans() if s.name == f"process {AUDIT.name}"]
    assert len(processed) == 2
    assert (processed[0].attributes or {})["messaging.message.id"] == asked["ce_id"]


async def test_a_poison_message_parks_its_key_and_replays_in_place(rig: Rig) -> None:
    healed = asyncio.Event()

    async def picky(tx: Transaction, fact: AuditRecorded, delivery: Delivery) -> None:
        if fact.reason == "poison" and not healed.is_set():
            raise ValueError("CPF 390.533.447-05 does not fit")
        await write_effect(tx, fact, delivery)

    async with rig.working({AuditRecorded: picky}):
        await rig.publish(recorded("bad", "before"), recorded("bad", "poison"), recorded("good", "1"))
        await rig.publish(recorded("bad", "after"), recorded("good", "2"))
        await eventually(partial(has_effects, rig, ["1", "2"], key="good"))
        await eventually(partial(has_effects, rig, ["before"], key="bad"))
        await eventually(partial(_parked, rig, ["head", "held"]))
        head, held = await deadletters.list_(rig.database)
        assert (head.error_class, head.fingerprint) == ("ValueError", "ValueError at test_consumer.py:picky")
        assert "390.533.447-05" not in str(head)
        with pytest.raises(deadletters.NotAHead):
            await deadletters.replay(rig.database, held.name, actor="test")

        healed.set()
        await deadletters.replay(rig.database, head.name, actor="test")
        await eventually(partial(has_effects, rig, ["before", "poison", "after"], key="bad"))
        await rig.publish(recorded("bad", "later"))
        await eventually(partial(has_effects, rig, ["before", "poison", "after", "later"], key="bad"))
    assert await deadletters.list_(rig.database) == []


async def _parked(rig: Rig, states: list[str]) -> bool:
    assert await rig.column("SELECT state FROM parked_event ORDER BY seq") == states
    return True


async def test_a_discarded_head_lets_its_key_go_on(rig: Rig) -> None:
    async def picky(tx: Transaction, fact: AuditRecorded, delivery: Delivery) -> None:
        if fact.reason == "poison":
            raise ValueError
        await write_effect(tx, fact, delivery)

    async with rig.working({AuditRecorded: picky}):
        await rig.publish(recorded("bad", "poison"), recorded("bad", "after"))
        await eventually(partial(_parked, rig, ["head", "held"]))
        [head, _] = await deadletters.list_(rig.database)
        shown = await deadletters.show(rig.database, head.name)
        assert shown.payload["reason"] == "poison"
        await deadletters.discard(rig.database, head.name, actor="test", reason="a test")
        await eventually(partial(has_effects, rig, ["after"], key="bad"))
    assert await rig.column("SELECT state FROM parked_event ORDER BY seq") == ["discarded", "released"]


async def test_the_sweeper_heals_a_key_by_itself(rig: Rig) -> None:
    tries: list[None] = []

    async def third_time_lucky(tx: Transaction, fact: AuditRecorded, delivery: Delivery) -> None:
        tries.append(None)
        if len(tries) < 4:
            raise ValueError("not yet")
        await write_effect(tx, fact, delivery)

    async with rig.working({AuditRecorded: third_time_lucky}, sweep_first_retry_s=0.01):
        await rig.publish(recorded("a", "1"))
        await eventually(partial(has_effects, rig, ["1"]))
    assert await rig.column("SELECT attempts FROM parked_event") == [2]


async def test_an_event_id_with_another_payload_is_parked_and_counted(rig: Rig) -> None:
    conflicts = metric("inbox_payload_conflicts_total", topic=AUDIT.name)
    async with rig.working(HANDLERS):
        await rig.publish(recorded("a", "first"))
        await eventually(partial(has_effects, rig, ["first"]))
        [record] = await read_topic(rig.settings)
        headers = {name: value.decode() for name, value in record.headers}
        await produce(
            rig.settings,
            AUDIT.name,
            ("a", record.value, headers),  # the same again: a duplicate, no conflict
            ("a", record.value.replace(b"first", b"other"), headers),
            ("b", recorded("b", "fine").model_dump_json().encode(), {**headers, "ce_id": str(new_id())}),
        )
        await eventually(partial(has_effects, rig, ["fine"], key="b"))
        await eventually(partial(_parked, rig, ["head"]))
        [letter] = await deadletters.list_(rig.database)
    assert letter.error_class == "PayloadConflict"
    assert await rig.effects("a") == ["first"]
    assert metric("inbox_payload_conflicts_total", topic=AUDIT.name) > conflicts
    assert await rig.scalar("SELECT next_attempt_at = 'infinity' FROM parked_event"), (
        "never retried by itself"
    )


async def test_tombstones_and_unknown_types_are_passed_over(rig: Rig) -> None:
    stranger = {
        "ce_specversion": "1.0",
        "ce_id": str(new_id()),
        "ce_source": "/services/elsewhere",
        "ce_type": "br.ibora.never.heard_of.v1",
        "ce_time": "2026-11-24T12:00:00Z",
    }
    await produce(
        rig.settings,
        AUDIT.name,
        ("a", None, {}),
        ("a", b"{}", stranger),
        ("a", None, {"ce_type": AuditRecorded.type_name()}),
    )
    async with rig.working(HANDLERS):
        await rig.publish(recorded("a", "1"))
        await eventually(partial(has_effects, rig, ["1"]))
        await eventually(partial(_committed, rig, 4))
    assert await deadletters.list_(rig.database) == []


@pytest.mark.parametrize(
    "spoil",
    [
        {"ce_specversion": "9"},
        {"ce_id": "not-an-id"},
        {"ce_id": "00000000-0000-4000-8000-000000000000"},
        {"ce_id": "01000000-0000-7000-8000-000000000000"},
        {"ce_id": "fff00000-0000-7000-8000-000000000000"},
        {"ce_time": "yesterday"},
        {"ce_time": "2026-11-24T12:00:00"},
        {"ce_time": "0001-01-01T00:00:00+01:00"},
        {"ce_correlationid": "\0" * 36},
        {"ce_sequence": "²"},
        {"ce_sequence": "9" * 5000},
        {"content-type": "application/cloudevents+json"},
    ],
    ids=[
        "version",
        "id",
        "not v7",
        "too old",
        "future",
        "time",
        "naive time",
        "time before time",
        "NUL",
        "superscript",
        "number too long",
        "not structured",
    ],
)
async def test_an_unreadable_record_is_parked(rig: Rig, spoil: dict[str, str]) -> None:
    good = {
        "ce_specversion": "1.0",
        "ce_id": str(new_id()),
        "ce_source": "/services/elsewhere",
        "ce_type": AuditRecorded.type_name(),
        "ce_time": "2026-11-24T12:00:00Z",
    }
    value = recorded("a", "1").model_dump_json().encode()
    await produce(rig.settings, AUDIT.name, ("a", value, {**good, **spoil}))
    async with rig.working(HANDLERS):
        await eventually(partial(_parked, rig, ["head"]))
    assert await rig.effects() == []


async def test_texts_that_no_database_takes_stop_nobody(rig: Rig) -> None:
    good = {
        "ce_specversion": "1.0",
        "ce_source": "/services/else\0where",
        "ce_type": AuditRecorded.type_name(),
        "ce_time": "2026-11-24T12:00:00Z",
        "na\0me": "\0",
    }
    written = [recorded("a", str(n)).model_dump_json().encode() for n in (1, 2)]
    with_nul = ("a\0", written[0], {**good, "ce_id": str(new_id())})
    deep = ("b", b"[" * 200_000, {"content-type": "application/cloudevents+json"})
    half = {"specversion": "1.0", "id": "\ud800", "type": AuditRecorded.type_name(), "source": "x"}
    halved = ("c", json.dumps(half).encode(), {"content-type": "application/cloudevents+json"})
    await produce(rig.settings, AUDIT.name, with_nul, deep, halved)
    async with rig.working(HANDLERS):
        await eventually(partial(_parked, rig, ["head", "head"]))
        await eventually(partial(has_effects, rig, ["1"]))


async def test_a_payload_that_does_not_fit_is_parked(rig: Rig) -> None:
    async with rig.working(HANDLERS):
        await rig.publish(recorded("a", "1"))
        await eventually(partial(has_effects, rig, ["1"]))
        [record] = await read_topic(rig.settings)
        headers = {name: value.decode() for name, value in record.headers} | {"ce_id": str(new_id())}
        await produce(rig.settings, AUDIT.name, ("b", b'{"nothing": "fits"}', headers))
        await eventually(partial(_parked, rig, ["head"]))
        await rig.publish(recorded("a", "2"))
        await eventually(partial(has_effects, rig, ["1", "2"]))


class Final(Refusal):
    """A refusal that stands."""


@pytest.mark.parametrize(
    ("error", "parks"),
    [
        (Final(), True),
        (KeyError("bug"), True),
        (NotYetKnown(), False),
        (OSError("away"), False),
        (TimeoutError(), False),
        (OperationalError("x", None, Exception()), False),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_passing_error_is_retried_in_place_and_a_lasting_one_parks(
    rig: Rig, error: Exception, parks: bool
) -> None:
    tries: list[None] = []

    async def failing(tx: Transaction, fact: AuditRecorded, delivery: Delivery) -> None:
        tries.append(None)
        if len(tries) < 6:
            raise error
        await write_effect(tx, fact, delivery)

    async with rig.working({AuditRecorded: failing}):
        await rig.publish(recorded("a", "1"))
        if parks:
            await eventually(partial(_parked, rig, ["head"]))
        else:
            await eventually(partial(has_effects, rig, ["1"]))
            assert len(tries) == 6
            assert await deadletters.list_(rig.database) == []


async def test_a_passing_error_parks_when_its_budget_is_spent(rig: Rig) -> None:
    async def failing(tx: Transaction, fact: AuditRecorded, delivery: Delivery) -> None:
        raise OSError("away for good")

    async with rig.working({AuditRecorded: failing}, consumer_retry_budget_s=0.2):
        await rig.publish(recorded("a", "1"))
        await eventually(partial(_parked, rig, ["head"]))


async def test_a_rolled_back_batch_is_delivered_again_with_no_half_effect(rig: Rig) -> None:
    failed: list[str] = []

    async def once_broken(tx: Transaction, fact: AuditRecorded, delivery: Delivery) -> None:
        await write_effect(tx, fact, delivery)
        if fact.reason == "15" and not failed:
            failed.append("15")
            raise OSError("the connection broke")

    await rig.publish(*(recorded("a", str(n)) for n in range(30)))
    async with rig.working({AuditRecorded: once_broken}):
        await eventually(partial(has_effects, rig, [str(n) for n in range(30)]))
    assert failed == ["15"]


async def test_a_database_that_goes_away_delays_and_loses_nothing(rig: Rig) -> None:
    async with rig.working(HANDLERS):
        await rig.publish(recorded("a", "1"))
        await eventually(partial(has_effects, rig, ["1"]))
        for n in range(2, 12):
            await rig.publish(recorded("a", str(n)))
            async with rig.database.transaction() as tx:
                await tx.session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
        await eventually(partial(has_effects, rig, [str(n) for n in range(1, 12)]))
    assert await deadletters.list_(rig.database) == []


async def test_an_event_that_kills_the_process_is_found_and_parked(rig: Rig) -> None:
    """The process dies at "deadly" each time; a handler that never returns stands in for the kill."""

    async def deadly(tx: Transaction, fact: AuditRecorded, delivery: Delivery) -> None:
        if fact.reason == "deadly":
            died.set()
            await asyncio.Event().wait()
        await write_effect(tx, fact, delivery)

    before, bad, after = keys_of_one_partition(3)
    await rig.publish(recorded(before, "1"), recorded(bad, "deadly"), recorded(after, "2"))
    for _ in range(5):
        died = asyncio.Event()
        async with rig.working({AuditRecorded: deadly}, consumer_drain_s=0) as worker:
            done = asyncio.create_task(eventually(partial(has_effects, rig, ["2"], key=after), 20))
            dead = asyncio.create_task(died.wait())
            await asyncio.wait([done, dead], return_when=asyncio.FIRST_COMPLETED)
            survived = done.done()
            for task in (done, dead):
                task.cancel()
            await asyncio.wait([done, dead])
            if not survived:
                await _as_if_killed(rig, worker)
        if survived:
            break
    assert await rig.effects() == ["1", "2"]
    assert await rig.column("SELECT error_class FROM parked_event") == ["Deadly"]


async def _as_if_killed(rig: Rig, worker: object) -> None:
    """A cancelled attempt is noted as ended; a killed one cannot do that."""
    await worker.stop()  # type: ignore[attr-defined]
    async with rig.database.transaction() as tx:
        await tx.session.execute(text("UPDATE consume_attempt SET finished = 0"))


async def test_partitions_move_to_a_second_worker_without_a_second_effect(rig: Rig) -> None:
    async with rig.working(HANDLERS) as first:
        for n in range(40):
            await rig.publish(*(recorded(f"k{k}", str(n)) for k in range(6)))
        async with rig.working(HANDLERS) as second:
            for n in range(40, 80):
                await rig.publish(*(recorded(f"k{k}", str(n)) for k in range(6)))
            await eventually(lambda: second.consumer is not None and second.consumer.joined, 20)
            await first.stop()
            for n in range(80, 100):
                await rig.publish(*(recorded(f"k{k}", str(n)) for k in range(6)))
            for k in range(6):
                wanted = [str(n) for n in range(100)]
                await eventually(partial(has_effects, rig, wanted, key=f"k{k}"), 20)


async def test_the_inbox_admits_an_event_once_when_two_consumers_race(rig: Rig) -> None:
    """Two groups of the same name on two brokers would do this; here two transactions hold the same batch."""
    reached = asyncio.Event()
    go_on = asyncio.Event()

    async def wait_there() -> None:
        reached.set()
        await go_on.wait()

    async with rig.working(HANDLERS):
        await rig.publish(recorded("warm", "up"))
        await eventually(partial(has_effects, rig, ["up"], key="warm"))
        with failpoints.at("consumer.before_commit", wait_there):
            await rig.publish(recorded("a", "1"))
            await asyncio.wait_for(reached.wait(), 10)
            racing = asyncio.create_task(_insert_same_inbox_row(rig))
            await asyncio.sleep(0)
            go_on.set()
            inserted = await racing
        await eventually(partial(has_effects, rig, ["1"], key="a"))
    assert inserted == 0, "the second transaction waited for the first and found the row"


async def _insert_same_inbox_row(rig: Rig) -> int:
    [_, record] = sorted(await read_topic(rig.settings), key=lambda record: record.timestamp)
    headers = {name: value.decode() for name, value in record.headers}
    async with rig.database.transaction() as tx:
        result = await tx.session.execute(
            text(
                "INSERT INTO inbox (consumer, source, event_id, event_day, payload_sha256, topic, partition,"
                " \"offset\") VALUES ('sample', :source, :id, :day, '', 't', 0, 0)"
                " ON CONFLICT DO NOTHING RETURNING 1"
            ),
            {"source": headers["ce_source"], "id": headers["ce_id"], "day": _day(headers["ce_id"])},
        )
        return len(result.all())


def _day(event_id: str) -> object:
    from uuid import UUID

    from kernel.ids import id_time

    return id_time(UUID(event_id)).date()
