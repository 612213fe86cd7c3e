"""Inserting outbox rows: one statement for all that a transaction published, in the order of publishing."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from storage.driver import driver_of
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
# Most transactions publish one fact.
_INSERT: Final = """
INSERT INTO outbox (shard, event_id, topic, key, aggregate_version, event_type, headers, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8)"""


async def insert_rows(session: AsyncSession, *, rows: Sequence[OutboxRow]) -> None:
    """Insert `rows` in order."""
    driver = await driver_of(session)
    if len(rows) == 1:
        await driver.execute(_INSERT, *rows[0])
    else:
        # Cheaper than any INSERT for database and driver, and ids are given in the order of the rows.
        await driver.copy_records_to_table("outbox", columns=_COLUMNS, records=rows)
