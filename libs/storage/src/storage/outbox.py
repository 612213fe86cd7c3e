"""Inserting outbox rows: one statement for all that a transaction published, in the order of publishing."""

from collections.abc import Sequence
from typing import Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.outbox_row import OutboxRow

_COLUMNS: Final = (
    "shard",
    "event_id",
    "topic",
    "key",
    "aggregate_version",
    "event_type",
    "headers",
    "payload",
)
_BEGIN: Final = text("SELECT")
# Most transactions publish one fact.
_INSERT: Final = """
INSERT INTO outbox (shard, event_id, topic, key, aggregate_version, event_type, headers, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8)"""


async def insert_rows(session: AsyncSession, *, rows: Sequence[OutboxRow]) -> None:
    """Insert `rows` in order."""
    driver = await _driver(session)
    if len(rows) == 1:
        await driver.execute(_INSERT, *rows[0])
    else:
        # Cheaper than any INSERT for database and driver, and ids are given in the order of the rows.
        await driver.copy_records_to_table("outbox", columns=_COLUMNS, records=rows)


async def _driver(session: AsyncSession) -> asyncpg.Connection:
    """The driver's own connection inside the session's transaction.

    Every transaction that publishes pays for the insert; straight to the driver it costs a third.
    """
    if not session.in_transaction():
        await session.connection()
    driver = session.sync_session.connection().connection.driver_connection
    assert isinstance(driver, asyncpg.Connection), "services run on asyncpg"
    if not driver.is_in_transaction():
        await session.execute(_BEGIN)  # SQLAlchemy begins with its own first statement
    return driver
