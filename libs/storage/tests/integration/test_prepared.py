"""Statements that run on the driver are as good as SQLAlchemy's: their values, their transaction, their errors."""

from datetime import UTC, datetime

import asyncpg
import pytest
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    any_,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from kernel.money import money
from storage import Database, Prepared, Transaction, driver_of, sqlstate

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", Text),
    Column("price", Numeric(10, 2)),
    Column("data", JSONB),
    Column("seen_at", DateTime(timezone=True)),
)
T = THINGS.c
ADD = Prepared(insert(THINGS).values(name="nameless"), columns=("id", "price", "data", "seen_at"))
OF = Prepared(select(THINGS).where(T.id == any_(bindparam("ids", type_=ARRAY(Integer)))).order_by(T.id))
RENAME = Prepared(
    update(THINGS).where(T.id == bindparam("wanted")).values(seen_at=func.now()).returning(T.id),
    columns=("name",),
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def thing(number: int) -> dict[str, object]:
    return {"id": number, "price": money("1.50"), "data": {"n": [number, "\u00e9"]}, "seen_at": NOON}


async def make(tx: Transaction) -> None:
    await tx.session.execute(
        text(
            "CREATE TEMP TABLE things (id int PRIMARY KEY, name text, price numeric(10,2), data jsonb,"
            " seen_at timestamptz) ON COMMIT DROP"
        )
    )


async def add_both(tx: Transaction, *numbers: int) -> None:
    async with tx.savepoint():
        for number in numbers:
            await ADD.execute(tx.session, thing(number))


async def test_values_come_back_as_they_went_in(database: Database[Transaction]) -> None:
    async with database.transaction() as tx:
        await make(tx)
        await ADD.execute(tx.session, thing(1))
        await ADD.execute_many(tx.session, [thing(2), thing(3)])
        await ADD.execute_many(tx.session, [])
        rows = await OF.fetch(tx.session, {"ids": [3, 1]})
    assert [dict(row) for row in rows] == [{"name": "nameless", **thing(1)}, {"name": "nameless", **thing(3)}]


async def test_what_is_written_and_where_may_have_parameters_of_both_kinds(
    database: Database[Transaction],
) -> None:
    async with database.transaction() as tx:
        await make(tx)
        await ADD.execute(tx.session, thing(1))
        assert await RENAME.fetch_one(tx.session, {"wanted": 2, "name": "x"}) is None
        renamed = await RENAME.fetch_one(tx.session, {"wanted": 1, "name": "x"})
        [row] = await OF.fetch(tx.session, {"ids": [1]})
    assert renamed is not None
    assert row["name"] == "x"
    assert row["seen_at"] > NOON


async def test_a_forgotten_value_is_not_written_as_nothing(database: Database[Transaction]) -> None:
    async with database.transaction() as tx:
        with pytest.raises(KeyError, match="price"):
            await ADD.execute(tx.session, {"id": 1})
        with pytest.raises(KeyError, match="ids"):
            await OF.fetch(tx.session, {})


async def test_the_driver_works_inside_the_sessions_transaction(database: Database[Transaction]) -> None:
    async with database.transaction() as tx:
        driver = await driver_of(tx.session)
        assert driver.is_in_transaction()
        first = await driver.fetchval("SELECT pg_current_xact_id()::text")
        assert (await tx.session.execute(text("SELECT pg_current_xact_id()::text"))).scalar_one() == first
    async with database.transaction() as tx:
        assert await (await driver_of(tx.session)).fetchval("SELECT pg_current_xact_id()::text") != first


async def test_a_savepoint_takes_back_what_the_driver_did_in_it(database: Database[Transaction]) -> None:
    async with database.transaction() as tx:
        await make(tx)
        await ADD.execute(tx.session, thing(1))
        with pytest.raises(asyncpg.UniqueViolationError) as broken:
            await add_both(tx, 2, 1)
        [row] = await OF.fetch(tx.session, {"ids": [1, 2]})
    assert row["id"] == 1
    assert sqlstate(broken.value) == "23505"


async def test_a_lost_race_on_the_driver_is_run_again(database: Database[Transaction]) -> None:
    tries = 0

    async def work(tx: Transaction) -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            await (await driver_of(tx.session)).execute(
                "DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$"
            )
        return tries

    assert await database.retrying(work) == 2


async def test_an_expanding_list_is_refused_when_it_is_written() -> None:
    with pytest.raises(AssertionError, match="expanding"):
        Prepared(select(T.id).where(T.id.in_(bindparam("ids", expanding=True))))
