"""Processes and brokers that die in the middle: repeated deliveries at most, never a second effect."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
from messaging_samples import SAMPLE_CONSUMER, Rig, metric, recorded, rigged, write_effect

from contracts.audit import AuditRecorded
from contracts.topics import AUDIT
from devstack.parts.kafka import EmbeddedKafka
from messaging import KafkaSettings, admin
from testkit import DatabaseUrls, eventually

HANDLERS = {AuditRecorded: write_effect}


@pytest.mark.parametrize("failpoint", ["consumer.after_commit", "consumer.before_commit", "relay.after_ack"])
async def test_a_killed_worker_leaves_no_second_effect(rig: Rig, urls: DatabaseUrls, failpoint: str) -> None:
    await rig.publish(*(recorded("a", str(n)) for n in range(30)))
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "messaging_victim", urls.app_url,
        rig.settings.kafka_bootstrap, rig.settings.kafka_topic_prefix, failpoint,
    )  # fmt: skip
    try:
        assert await asyncio.wait_for(victim.wait(), 20) == 137
    finally:
        if victim.returncode is None:
            victim.kill()
            await victim.wait()
    committed_before = len(await rig.effects())
    assert (committed_before > 0) == (failpoint == "consumer.after_commit")
    duplicates = metric("inbox_duplicates_total", topic=AUDIT.name)
    async with rig.working(HANDLERS):
        await eventually(partial(_has_all, rig, "a", 30), 30)
        await rig.publish(recorded("a", "30"))
        await eventually(partial(_has_all, rig, "a", 31), 10)
    if failpoint != "consumer.before_commit":
        assert metric("inbox_duplicates_total", topic=AUDIT.name) > duplicates


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    """A broker of this test's own, which it may kill."""
    kafka = EmbeddedKafka(tmp_path / "kafka", say=lambda _line: None)
    await asyncio.to_thread(kafka.start)
    yield kafka
    await asyncio.to_thread(kafka.kill)


async def test_a_broker_killed_in_mid_batch_loses_nothing(
    broker: EmbeddedKafka, make_database: Callable[[str | Path | None], DatabaseUrls]
) -> None:
    settings = KafkaSettings(kafka_bootstrap=broker.bootstrap, kafka_topic_prefix="k.")
    await admin.create_topics(settings, topics=[AUDIT], partitions=2)
    async with rigged(make_database(SAMPLE_CONSUMER), settings) as rig, rig.working(HANDLERS, relay_batch=50):
        stop = asyncio.Event()
        publishing = asyncio.create_task(_keep_publishing(rig, stop))
        await eventually(partial(_has_at_least, rig, 200), 20)
        await asyncio.to_thread(broker.kill)  # batches are in flight
        at_kill = await rig.scalar("SELECT max(aggregate_version) FROM outbox")
        await eventually(partial(_outbox_reaches, rig, (at_kill or 0) + 50), 10)
        await asyncio.to_thread(broker.start)
        stop.set()
        count = await publishing
        for key in ("a", "b"):
            await eventually(partial(_has_all, rig, key, count), 40)
        await eventually(rig.outbox_is_empty)


async def _keep_publishing(rig: Rig, stop: asyncio.Event) -> int:
    count = 0
    while not stop.is_set():
        await rig.publish(recorded("a", str(count)), recorded("b", str(count)), version=count + 1)
        count += 1
        await asyncio.sleep(0.002)
    return count


async def _has_all(rig: Rig, key: str, count: int) -> bool:
    assert await rig.effects(key) == [str(n) for n in range(count)]
    return True


async def _has_at_least(rig: Rig, count: int) -> bool:
    return int(await rig.scalar("SELECT count(*) FROM effect")) >= count


async def _outbox_reaches(rig: Rig, version: int) -> bool:
    return bool(await rig.scalar("SELECT coalesce(max(aggregate_version), 0) >= :v FROM outbox", v=version))
