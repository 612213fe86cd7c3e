"""Topics of a test's own, the outbox as a test reads it, and messaging stopped at its named places."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]

from contracts.identity import SessionRevoked
from contracts.topics import PROFILES, TOPICS
from messaging import KafkaSettings, failpoints
from storage import Database, DatabaseSettings, Transaction
from testkit import DatabaseUrls, FakeClock, published
from testkit.failpoints import Broken, break_at, halt_at
from testkit.outbox import rows

PLACE = "relay.after_ack"


async def test_every_topic_is_made_under_a_prefix_of_the_tests_own(kafka_settings: KafkaSettings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_settings.kafka_bootstrap)
    await admin.start()
    names = await admin.list_topics()
    await admin.close()

    assert kafka_settings.kafka_topic_prefix
    assert {f"{kafka_settings.kafka_topic_prefix}{topic.name}" for topic in TOPICS} <= set(names)


async def test_what_a_service_publishes_is_read_back(
    make_database: Callable[[str], DatabaseUrls], clock: FakeClock
) -> None:
    urls = make_database("identity")
    settings = DatabaseSettings(database_url=urls.app_url)
    database = Database(settings, service="identity", make=Transaction, clock=clock)
    fact = _revoked(clock)

    async with database.transaction() as tx:
        event_id = await tx.publish(fact, version=3)
        await tx.forget(PROFILES, key=str(fact.user_id))
    await database.dispose()

    assert isinstance(event_id, UUID)
    assert await published(urls) == [(fact, fact.key(), 3)]
    assert await published(urls, of=SessionRevoked) == [(fact, fact.key(), 3)]
    assert [row["payload"] is None for row in await rows(urls)] == [False, True]


async def test_whoever_reaches_a_halt_stands_there_until_released() -> None:
    passed = asyncio.Event()

    async def walk() -> None:
        await failpoints.reach(PLACE)
        passed.set()

    async with halt_at(PLACE) as halt, asyncio.TaskGroup() as group:
        group.create_task(walk())
        await halt.reached.wait()
        assert not passed.is_set()
        halt.release()

    assert passed.is_set()
    await failpoints.reach(PLACE)


async def test_a_break_is_raised_so_many_times_and_no_more() -> None:
    with break_at(PLACE, times=2) as breaks:
        for _ in range(2):
            with pytest.raises(Broken):
                await failpoints.reach(PLACE)
        await failpoints.reach(PLACE)

    assert breaks.reached == 3


def _revoked(clock: FakeClock) -> SessionRevoked:
    values = {"user_id": uuid4(), "session_id": uuid4(), "reason": "logout", "revoked_at": clock.now()}
    return SessionRevoked.model_validate(values)
