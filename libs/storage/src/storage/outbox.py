"""Inserting outbox rows: one statement for all that a transaction published, in the order of publishing."""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from storage.outbox_row import OutboxRow

# The sort comes before the identity column's nextval, so ids follow the order of publishing.
_INSERT: Final = """
INSERT INTO outbox (shard, event_id, topic, key, aggregate_version, event_type, headers, payload)
SELECT shard, event_id, topic, key, version, event_type, headers::jsonb, payload
FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
            $8::bytea[])
     WITH ORDINALITY AS r(shard, event_id, topic, key, version, event_type, headers, payload, n)
ORDER BY n"""


# Most transactions publish one fact, and then arrays and their sort cost more than the row.
_INSERT_ONE: Final = """
INSERT INTO outbox (shard, event_id, topic, key, aggregate_version, event_type, headers, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8)"""


async def insert_rows(session: AsyncSession, *, rows: Sequence[OutboxRow]) -> None:
    """Insert `rows` in order."""
    statement, values = _statement(rows)
    driver = _open_driver(session)
    if driver is not None:
        await driver.execute(statement, *values)
    else:
        await (await session.connection()).exec_driver_sql(statement, values)


def _statement(rows: Sequence[OutboxRow]) -> tuple[str, tuple[Any, ...]]:
    if len(rows) == 1:
        [row] = rows
        return _INSERT_ONE, (
            row.shard,
            row.event_id,
            row.topic,
            row.key,
            row.version,
            row.event_type,
            row.headers,
            row.payload,
        )
    return _INSERT, (
        [row.shard for row in rows],
        [row.event_id for row in rows],
        [row.topic for row in rows],
        [row.key for row in rows],
        [row.version for row in rows],
        [row.event_type for row in rows],
        [row.headers for row in rows],
        [row.payload for row in rows],
    )


def _open_driver(session: AsyncSession) -> asyncpg.Connection | None:
    """The driver's own connection while it is inside the session's transaction, which SQLAlchemy opens with
    its own first statement.

    Every transaction that publishes pays for the insert; straight to the driver it costs a third.
    """
    if not session.in_transaction():
        return None
    driver = session.sync_session.connection().connection.driver_connection
    return driver if isinstance(driver, asyncpg.Connection) and driver.is_in_transaction() else None
