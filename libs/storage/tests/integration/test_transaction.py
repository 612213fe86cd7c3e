"""A transaction commits everything or nothing, and what it published in the order of publishing."""

import asyncio
from functools import partial
from uuid import UUID
from weakref import ref

import pytest
from sqlalchemy import text
from storage_samples import ride_paid, settings_of, value_of

from contracts.topics import PROFILES
from kernel.ids import new_id
from storage import Cause, Database, NestedTransaction, NotPublishable, Transaction
from storage.nudge import forget_hook, on_outbox_commit
from testkit import DatabaseUrls, published


async def insert(tx: Transaction, note: str) -> None:
    await tx.session.execute(text("INSERT INTO entry (note) VALUES (:note)"), {"note": note})


async def notes(database: Database[Transaction]) -> list[str]:
    async with database.reading() as tx:
        return list((await tx.session.execute(text("SELECT note FROM entry ORDER BY id"))).scalars())


async def test_state_and_facts_commit_together(urls: DatabaseUrls, database: Database[Transaction]) -> None:
    facts = [ride_paid() for _ in range(5)]
    async with database.transaction() as tx:
        await insert(tx, "paid")
        for version, fact in enumerate(facts):
            await tx.publish(fact, version=version)
    assert await notes(database) == ["paid"]
    assert await published(urls) == [(fact, str(fact.ride_id), n) for n, fact in enumerate(facts)]


async def test_an_exception_rolls_everything_back(
    urls: DatabaseUrls, database: Database[Transaction]
) -> None:
    ran: list[str] = []

    async def hook() -> None:
        ran.append("hook")

    async def fail() -> None:
        async with database.transaction() as tx:
            await insert(tx, "lost")
            await tx.publish(ride_paid())
            tx.after_commit(hook)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await notes(database) == []
    assert await published(urls) == []
    assert ran == []


async def test_a_savepoint_undoes_writes_facts_and_hooks(
    urls: DatabaseUrls, database: Database[Transaction]
) -> None:
    ran: list[str] = []
    kept = ride_paid()

    async def hook() -> None:
        ran.append("hook")

    async def fail(tx: Transaction) -> None:
        async with tx.savepoint():
            await insert(tx, "undone")
            await tx.publish(ride_paid())
            tx.after_commit(hook)
            raise ZeroDivisionError

    async with database.transaction() as tx:
        await tx.publish(kept)
        with pytest.raises(ZeroDivisionError):
            await fail(tx)
        async with tx.savepoint():
            await insert(tx, "kept")
    assert await notes(database) == ["kept"]
    assert [fact for fact, _, _ in await published(urls)] == [kept]
    assert ran == []


async def test_a_hook_runs_after_the_commit_and_may_fail(database: Database[Transaction]) -> None:
    seen: list[list[str]] = []

    async def failing() -> None:
        raise ZeroDivisionError

    async def looking() -> None:
        seen.append(await notes(database))

    async with database.transaction() as tx:
        await insert(tx, "done")
        tx.after_commit(failing)
        tx.after_commit(looking)
    assert seen == [["done"]]


async def test_what_a_hook_held_is_let_go_after_it_ran(database: Database[Transaction]) -> None:
    class Batch:
        pass

    async with database.transaction() as tx:
        batch = Batch()
        tx.after_commit(partial(_counted, batch))
        gone = ref(batch)
        del batch
    assert gone() is None, "else everything a batch made waits for the collector"


async def _counted(_batch: object) -> None: ...


async def test_before_commit_is_flushed_with_its_facts(urls: DatabaseUrls) -> None:
    class Batching(Transaction):
        async def before_commit(self) -> None:
            await insert(self, "flushed")
            await self.publish(fact)

    fact = ride_paid()
    batching = Database(settings_of(urls), service="sample", make=Batching)
    try:
        async with batching.transaction():
            pass
        async with batching.reading() as tx:
            assert await value_of(tx, "SELECT note FROM entry") == "flushed"
    finally:
        await batching.dispose()
    assert [published_fact for published_fact, _, _ in await published(urls)] == [fact]


async def test_a_fact_names_what_caused_it(database: Database[Transaction]) -> None:
    cause = Cause(event_id=new_id(), correlation_id=new_id())
    async with database.transaction() as tx:
        with tx.caused_by(cause):
            caused = await tx.publish(ride_paid())
        free = await tx.publish(ride_paid())
    headers = await _headers(database)
    assert headers[caused]["ce_causationid"] == str(cause.event_id)
    assert headers[caused]["ce_correlationid"] == str(cause.correlation_id)
    assert headers[free]["ce_correlationid"] == str(free)
    assert "ce_causationid" not in headers[free]


async def test_a_commit_with_facts_nudges_and_others_do_not(database: Database[Transaction]) -> None:
    nudges: list[None] = []

    def hook() -> None:
        nudges.append(None)

    on_outbox_commit(hook)
    try:
        async with database.transaction() as tx:
            await insert(tx, "quiet")
        assert len(nudges) == 0
        async with database.transaction() as tx:
            await tx.forget(PROFILES, key="someone")
        assert len(nudges) == 1
    finally:
        forget_hook(hook)


async def test_a_tombstone_has_no_payload(database: Database[Transaction]) -> None:
    async with database.transaction() as tx:
        await tx.forget(PROFILES, key="someone")
    async with database.reading() as tx:
        row = (await tx.session.execute(text("SELECT topic, key, payload FROM outbox"))).one()
    assert tuple(row) == (PROFILES.name, "someone", None)


async def test_a_second_transaction_in_the_same_task_is_a_bug(database: Database[Transaction]) -> None:
    async with database.transaction():
        for opening in (database.transaction, database.reading):
            with pytest.raises(NestedTransaction):
                async with opening():
                    pass
        # Another task is somebody else.
        assert await asyncio.create_task(notes(database)) == []
    assert await notes(database) == []


async def test_reading_neither_writes_nor_publishes(database: Database[Transaction]) -> None:
    with pytest.raises(Exception, match="read-only"):
        async with database.reading() as tx:
            await insert(tx, "never")
    with pytest.raises(NotPublishable):
        async with database.reading() as tx:
            await tx.publish(ride_paid())
    async with database.transaction() as tx:  # the connection went back writable
        await insert(tx, "fine")


async def _headers(database: Database[Transaction]) -> dict[UUID, dict[str, str]]:
    async with database.reading() as tx:
        rows = await tx.session.execute(text("SELECT event_id, headers FROM outbox"))
        return {row.event_id: row.headers for row in rows}
