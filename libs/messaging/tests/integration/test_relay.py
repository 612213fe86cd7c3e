"""The relay when things break: killed after the ack, doubled, an oversize row, a released quarantine."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from messaging_samples import (
    SAMPLE_CONSUMER,
    SERVICE,
    Rig,
    metric,
    read_topic,
    recorded,
    rigged,
    write_effect,
)

from contracts.audit import AuditRecorded
from contracts.topics import AUDIT, PROFILES
from messaging import KafkaSettings, deadletters, failpoints
from messaging.kafka import KafkaPublisher
from messaging.outbox_source import PostgresOutbox
from messaging.relay import Relay
from testkit import DatabaseUrls, eventually
from testkit.infrastructure import Infrastructure


class Killed(BaseException):
    """Ends the relay's task as a kill would: nothing of it is handled."""


async def test_a_relay_killed_between_ack_and_delete_only_repeats(rig: Rig) -> None:
    reached = asyncio.Event()

    async def never_delete() -> None:
        reached.set()
        await asyncio.Event().wait()

    await rig.publish(*(recorded(f"k{n % 5}", str(n)) for n in range(50)))
    source = PostgresOutbox(rig.database.settings, service=SERVICE, owner="victim")
    opener = partial(KafkaPublisher.open, rig.settings)
    victim = asyncio.create_task(Relay(source=source, open_publisher=opener, settings=rig.settings).run())
    with failpoints.at("relay.after_ack", never_delete):
        await asyncio.wait_for(reached.wait(), 10)
        victim.cancel()
        await asyncio.wait([victim])
    assert not await rig.outbox_is_empty()

    duplicates = metric("inbox_duplicates_total", topic=AUDIT.name)
    async with rig.working({AuditRecorded: write_effect}):
        await eventually(rig.outbox_is_empty)
        await eventually(lambda: metric("inbox_duplicates_total", topic=AUDIT.name) - duplicates == 50)
    assert len(await read_topic(rig.settings)) == 100
    assert sorted(await rig.effects(), key=int) == [str(n) for n in range(50)]


class UnlockedOutbox(PostgresOutbox):
    """A relay that does not ask for the lock: what a paused process that woke up again looks like."""

    async def _lock(self, connection: object) -> bool:
        return True


async def test_two_relays_at_once_lose_nothing_and_one_is_fenced(rig: Rig) -> None:
    fenced = metric("outbox_fenced_total")
    relays = [
        Relay(
            source=UnlockedOutbox(rig.database.settings, service=SERVICE, owner=f"relay {n}"),
            open_publisher=partial(KafkaPublisher.open, rig.settings),
            settings=rig.settings.model_copy(update={"relay_batch": 7}),
        )
        for n in range(2)
    ]
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        for n in range(150):
            await rig.publish(recorded(f"k{n % 3}", str(n)), version=n // 3 + 1)
        await eventually(rig.outbox_is_empty)
    finally:
        for relay in relays:
            relay.stop()
        await asyncio.gather(*tasks)
    last = {f"k{n}": 0 for n in range(3)}
    seen: set[str] = set()
    for record in await read_topic(rig.settings):
        headers = {name: value.decode() for name, value in record.headers}
        if headers["ce_id"] not in seen:
            seen.add(headers["ce_id"])
            assert int(headers["ce_sequence"]) == last[record.key.decode()] + 1
            last[record.key.decode()] += 1
    assert len(seen) == 150
    assert metric("outbox_fenced_total") > fenced


async def test_a_standby_takes_over_when_the_first_steps_down(rig: Rig) -> None:
    async with rig.working() as first:
        await rig.publish(recorded("a"))
        await eventually(rig.outbox_is_empty)
        async with rig.working():
            await first.stop()
            await rig.publish(recorded("b"))
            await eventually(rig.outbox_is_empty)
    assert [record.key for record in await read_topic(rig.settings)].count(b"b") == 1


@pytest.fixture
async def narrow(infrastructure: Infrastructure, kafka_prefix: str) -> KafkaSettings:
    """One partition that takes 20 kB at most."""
    settings = KafkaSettings(kafka_bootstrap=infrastructure.kafka, kafka_topic_prefix=kafka_prefix)
    name = kafka_prefix + AUDIT.name
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs={"max.message.bytes": "20000"})])
    await admin.close()
    return settings


async def widen(settings: KafkaSettings) -> None:
    name = settings.kafka_topic_prefix + AUDIT.name
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    resource = ConfigResource(ConfigResourceType.TOPIC, name, configs={"max.message.bytes": "900000"})
    await admin.alter_configs([resource])
    await admin.close()


def notes(records: list[object]) -> list[str]:
    facts = [AuditRecorded.model_validate_json(record.value) for record in records]  # type: ignore[attr-defined]
    return [(fact.reason or "")[:3] for fact in facts]


async def publish_around_an_oversize_row(rig: Rig) -> None:
    await rig.publish(
        recorded("good", "g1"),
        recorded("big", "b1" + "x" * 60_000),
        recorded("good", "g2"),
        recorded("big", "b2"),
        recorded("other", "o1"),
    )


async def test_an_oversize_row_is_quarantined_and_its_partition_flows(
    make_database: Callable[[str | Path | None], DatabaseUrls], narrow: KafkaSettings
) -> None:
    async with rigged(make_database(SAMPLE_CONSUMER), narrow) as rig, rig.working():
        await publish_around_an_oversize_row(rig)
        await eventually(rig.outbox_is_empty)
        await rig.publish(recorded("big", "b3"), recorded("good", "g3"))
        await eventually(rig.outbox_is_empty)
        assert notes(await read_topic(rig.settings)) == ["g1", "g2", "o1", "g3"]
        letters = await deadletters.list_(rig.database)
        assert [(letter.key, letter.state) for letter in letters] == [
            ("big", "head"),
            ("big", "held"),
            ("big", "held"),
        ]
        assert letters[0].error_class == "MessageSizeTooLargeError"

        await widen(narrow)
        await eventually(partial(_accepted, rig, letters[0].name))
        assert notes(await read_topic(rig.settings))[4:] == ["b1x", "b2", "b3"]


async def _accepted(rig: Rig, name: str) -> bool:
    """Released until the broker has learnt its new limit."""
    if any(
        letter.name == name and letter.state == "head" for letter in await deadletters.list_(rig.database)
    ):
        await deadletters.replay(rig.database, name, actor="test")
    return not await deadletters.list_(rig.database) and await rig.outbox_is_empty()


async def test_a_discarded_head_lets_the_held_rows_go(
    make_database: Callable[[str | Path | None], DatabaseUrls], narrow: KafkaSettings
) -> None:
    async with rigged(make_database(SAMPLE_CONSUMER), narrow) as rig, rig.working():
        await publish_around_an_oversize_row(rig)
        await eventually(rig.outbox_is_empty)
        head = (await deadletters.list_(rig.database))[0]
        await deadletters.discard(rig.database, head.name, actor="test", reason="too large")
        await eventually(partial(_has_notes, rig, ["g1", "g2", "o1", "b2"]))
        assert await deadletters.list_(rig.database) == []


async def _has_notes(rig: Rig, wanted: list[str]) -> bool:
    return notes(await read_topic(rig.settings)) == wanted


async def test_a_tombstone_is_published_as_one(rig: Rig) -> None:
    async with rig.working():
        async with rig.database.transaction() as tx:
            await tx.forget(PROFILES, key="someone")
        await eventually(rig.outbox_is_empty)
    [record] = await read_topic(rig.settings, PROFILES.name)
    assert (record.key, record.value) == (b"someone", None)
