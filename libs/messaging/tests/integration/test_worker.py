"""The worker's other parts: jobs, lossy streams, rebuild, and workers with little to do."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from messaging_samples import Rig, metric, produce, recorded
from sqlalchemy import text

from contracts.base import Fact
from contracts.identity import Profile, UserStatus, UserType
from contracts.ride_dispatch import DriverLocationUpdated
from contracts.topics import LOCATIONS, PROFILES
from kernel.ids import new_id
from messaging import Delivery, KafkaSettings, LossyProducer, Schedule, Worker, rebuild
from storage import Transaction
from testkit import eventually


def located(lat: float = -23.5) -> DriverLocationUpdated:
    return DriverLocationUpdated(driver_id=new_id(), lat=lat, lon=-46.6, recorded_at=datetime.now(UTC))


async def test_a_job_runs_in_one_worker_at_a_time(rig: Rig) -> None:
    running, most, runs = 0, 0, 0

    async def work() -> None:
        nonlocal running, most, runs
        running, runs = running + 1, runs + 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1

    jobs = {Schedule("alone", 0.01): work}
    async with rig.working(jobs=jobs), rig.working(jobs=jobs), rig.working(jobs=jobs):
        await eventually(lambda: runs >= 20)
    assert most == 1
    assert metric("job_runs_total", job="alone", outcome="elsewhere") > 0


async def test_a_job_that_shares_runs_everywhere(rig: Rig) -> None:
    running = 0
    both = asyncio.Event()

    async def work() -> None:
        nonlocal running
        running += 1
        if running == 2:
            both.set()
        await both.wait()

    jobs = {Schedule("shared", 0.01, exclusive=False): work}
    async with rig.working(jobs=jobs), rig.working(jobs=jobs):
        await asyncio.wait_for(both.wait(), 10)


async def test_a_failed_job_runs_again(rig: Rig) -> None:
    runs: list[None] = []

    async def work() -> None:
        runs.append(None)
        raise ZeroDivisionError

    async with rig.working(jobs={Schedule("failing", 0.01): work}) as worker:
        await eventually(lambda: len(runs) >= 3)
        assert worker.unhealthy() is None


async def test_a_job_runs_after_its_connection_was_lost(rig: Rig) -> None:
    runs: list[None] = []

    async def work() -> None:
        runs.append(None)

    async with rig.working(jobs={Schedule("robust", 0.01): work}):
        await eventually(lambda: len(runs) >= 1)
        async with rig.database.transaction() as tx:
            await tx.session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'ibora-sample-jobs' AND datname = current_database()"
                )
            )
        seen = len(runs)
        await eventually(lambda: len(runs) >= seen + 3)


async def test_a_worker_without_handlers_relays(rig: Rig) -> None:
    async with rig.working() as worker:
        await rig.publish(recorded("a"))
        await eventually(rig.outbox_is_empty)
        await worker.ready()
        assert worker.unhealthy() is None


async def test_lossy_facts_reach_a_worker_without_a_database(kafka_settings: KafkaSettings) -> None:
    seen: list[Fact] = []

    async def handle(pairs: Sequence[tuple[Fact, Delivery]]) -> None:
        seen.extend(fact for fact, _ in pairs)
        if len(seen) == 1:
            raise ZeroDivisionError("a failed batch is dropped, not fatal")

    worker: Worker[Transaction] = Worker(
        database=None,
        settings=kafka_settings,
        service="sample",
        handlers={},
        streams={DriverLocationUpdated: handle},
    )
    producer = LossyProducer(kafka_settings)
    await worker.start()
    await producer.start()
    try:
        stream = worker.stream
        assert stream is not None
        await eventually(lambda: stream.joined, 15)

        def sent_and_seen() -> bool:
            producer.send(located())
            return len(seen) >= 3

        await eventually(sent_and_seen)
        assert worker.unhealthy() is None
        assert producer.unhealthy() is None
    finally:
        await producer.stop()
        await worker.stop()


async def test_a_lossy_producer_drops_and_counts_while_kafka_is_away() -> None:
    settings = KafkaSettings(kafka_bootstrap="127.0.0.1:1")
    dropped = metric("lossy_dropped_total", topic=LOCATIONS.name)
    producer = LossyProducer(settings)
    await producer.start()
    try:
        for _ in range(10_100):
            producer.send(located())
        assert metric("lossy_dropped_total", topic=LOCATIONS.name) - dropped == 100
    finally:
        await producer.stop()


async def test_a_worker_starts_and_stops_while_kafka_is_away(rig: Rig) -> None:
    async with rig.working({}, kafka_bootstrap="127.0.0.1:1") as worker:
        await rig.publish(recorded("a"))
        await eventually(lambda: worker.relay is not None)
        assert worker.unhealthy() is None
    assert not await rig.outbox_is_empty()


async def test_a_projection_is_rebuilt_from_the_compacted_topic(rig: Rig, profile: Profile) -> None:
    async with rig.working():
        for n in range(1, 4):
            await rig.publish(profile.model_copy(update={"user_id": new_id()}), version=n)
        async with rig.database.transaction() as tx:
            await tx.forget(PROFILES, key="gone")
        await eventually(rig.outbox_is_empty)
    await produce(rig.settings, PROFILES.name, ("x", b"rubbish", {"ce_type": Profile.type_name()}))

    async def project(tx: Transaction, fact: Profile, delivery: Delivery) -> None:
        await tx.session.execute(
            text("INSERT INTO aggregate VALUES (:key, :version)"),
            {"key": str(fact.user_id), "version": delivery.version},
        )

    count = await rebuild(
        rig.settings, service="sample", topic=PROFILES, handler=project, database=rig.database
    )
    assert count == 3
    assert sorted(await rig.column("SELECT version FROM aggregate")) == [1, 2, 3]


async def test_an_old_profile_is_no_reason_to_park(rig: Rig, profile: Profile) -> None:
    """A compacted topic keeps a key's last event for years; the inbox remembers weeks."""

    async def project(tx: Transaction, fact: Profile, delivery: Delivery) -> None:
        await tx.session.execute(text("INSERT INTO effect (key, note) VALUES (:k, '')"), {"k": delivery.key})

    long_ago = int((datetime.now(UTC) - timedelta(days=800)).timestamp() * 1000)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": f"{long_ago >> 16:08x}-{long_ago & 0xFFFF:04x}-7000-8000-000000000001",
        "ce_source": "/services/identity",
        "ce_type": Profile.type_name(),
        "ce_time": "2024-09-01T12:00:00Z",
    }
    value = profile.model_dump_json().encode()
    await produce(rig.settings, PROFILES.name, ("k", value, headers), ("k", value, headers))
    async with rig.working({Profile: project}) as worker:
        await eventually(lambda: _has(rig, "SELECT count(*) = 1 FROM effect"))
        await eventually(worker_is_ready(worker))
    assert await rig.scalar("SELECT count(*) FROM inbox_default") == 1
    assert await rig.scalar("SELECT count(*) FROM parked_event") == 0


def worker_is_ready(worker: Worker[Transaction]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        await worker.ready()
        return True

    return check


async def _has(rig: Rig, statement: str) -> bool:
    return bool(await rig.scalar(statement))


@pytest.fixture
def profile() -> Profile:
    return Profile(
        user_id=new_id(),
        version=1,
        user_type=UserType.PASSENGER,
        status=UserStatus.ACTIVE,
        full_name="Ana",
        updated_at=datetime.now(UTC),
    )
