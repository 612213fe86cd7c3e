"""The inbox's weeks are made ahead and dropped after the retention, by a role that owns nothing."""

from datetime import date, timedelta

from sqlalchemy import text
from storage_samples import value_of

from kernel.ids import new_id
from storage import Database, Transaction
from storage.partitions import keep_partitions

TODAY = date(2026, 11, 24)


async def weeks(database: Database[Transaction]) -> list[str]:
    async with database.reading() as tx:
        rows = await tx.session.execute(
            text("SELECT tablename FROM pg_tables WHERE tablename ~ '^inbox_[0-9]+$' ORDER BY 1")
        )
        return list(rows.scalars())


async def keep(database: Database[Transaction], *, today: date, retention_days: int = 35) -> None:
    async with database.transaction() as tx:
        await keep_partitions(tx.session, today=today, retention_days=retention_days)


async def receive(database: Database[Transaction], day: date) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(
            text(
                """INSERT INTO inbox (consumer, source, event_id, event_day, payload_sha256, topic, partition,
                                      "offset") VALUES ('c', 's', :id, :day, '', 't', 0, 0)"""
            ),
            {"id": new_id(), "day": day},
        )


async def test_weeks_are_made_ahead_and_again_changes_nothing(database: Database[Transaction]) -> None:
    await keep(database, today=TODAY)
    made = await weeks(database)
    assert made[0] == "inbox_20261019"
    assert made[-1] == "inbox_20261207"
    assert len(made) == 8
    await keep(database, today=TODAY)
    assert await weeks(database) == made


async def test_a_week_is_dropped_only_when_all_of_it_is_too_old(database: Database[Transaction]) -> None:
    await keep(database, today=TODAY)
    await keep(database, today=TODAY + timedelta(days=5))
    assert (await weeks(database))[0] == "inbox_20261019"
    await keep(database, today=TODAY + timedelta(days=6))
    assert (await weeks(database))[0] == "inbox_20261026"


async def test_rows_lie_in_their_week_and_the_rest_in_the_default(database: Database[Transaction]) -> None:
    await keep(database, today=TODAY)
    await receive(database, TODAY)
    await receive(database, date(2020, 1, 1))
    async with database.reading() as tx:
        assert await value_of(tx, "SELECT count(*) FROM inbox_20261123") == 1
        assert await value_of(tx, "SELECT count(*) FROM inbox_default") == 1


async def test_a_week_that_the_default_already_serves_is_left_there(database: Database[Transaction]) -> None:
    await receive(database, TODAY)
    await keep(database, today=TODAY)
    assert "inbox_20261123" not in await weeks(database)
    await receive(database, TODAY)
    async with database.reading() as tx:
        assert await value_of(tx, "SELECT count(*) FROM inbox_default") == 2
