"""Inserting outbox rows: one statement for all that a transaction published, in the order of publishing."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.outbox_row import OutboxRow

# The sort comes before the identity column's nextval, so ids follow the order of publishing.
_INSERT = text("""
INSERT INTO outbox (shard, event_id, topic, key, aggregate_version, event_type, headers, payload)
SELECT shard, event_id, topic, key, version, event_type, headers::jsonb, payload
FROM unnest(CAST(:shards AS smallint[]), CAST(:event_ids AS uuid[]), CAST(:topics AS text[]),
            CAST(:keys AS text[]), CAST(:versions AS bigint[]), CAST(:types AS text[]),
            CAST(:headers AS text[]), CAST(:payloads AS bytea[]))
     WITH ORDINALITY AS r(shard, event_id, topic, key, version, event_type, headers, payload, n)
ORDER BY n
""")


async def insert_rows(session: AsyncSession, *, rows: Sequence[OutboxRow]) -> None:
    """Insert `rows` in order."""
    await session.execute(
        _INSERT,
        {
            "shards": [row.shard for row in rows],
            "event_ids": [row.event_id for row in rows],
            "topics": [row.topic for row in rows],
            "keys": [row.key for row in rows],
            "versions": [row.version for row in rows],
            "types": [row.event_type for row in rows],
            "headers": [row.headers for row in rows],
            "payloads": [row.payload for row in rows],
        },
    )
