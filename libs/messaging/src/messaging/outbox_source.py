"""The outbox as the relay sees it, and Postgres behind it.

Reads all pending rows in id order and deletes them after the ack: lossless without a cursor, and in order
per key, because rows are inserted under their aggregate's row lock (messaging reference §2, the lemma).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import asyncpg

from messaging.direct import close_directly, connect_directly
from storage import DatabaseSettings

LOCK_SPACE: Final = 0x1B0A
RELAY_LOCK: Final = 0
COUNT_LIMIT: Final = 100_001


@dataclass(frozen=True, slots=True)
class PendingRow:
    """One outbox row; `headers` is a JSON object as text."""

    id: int
    topic: str
    key: str
    headers: str
    payload: bytes | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """Rows of one snapshot and its xmin: every transaction below it has ended."""

    rows: Sequence[PendingRow]
    xmin: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits, and since when."""

    pending: int
    oldest_age_s: float
    quarantined_heads: int
    quarantined_held: int


class OutboxSource(Protocol):
    """Where the relay reads from; a logical replication slot could stand here too."""

    async def acquire(self) -> bool:
        """Become the one relay; False while another is."""
        ...

    async def fetch(self, *, floor: int, limit: int) -> Fetched: ...

    async def delete(self, ids: Sequence[int]) -> tuple[int, int]:
        """Delete what was acknowledged; returns how many went (none: fenced) and the xid that did it."""
        ...

    async def quarantine(self, ids: Sequence[int], *, state: str, error: BaseException | None) -> int:
        """Move rows out of the way, as a key's `head` or `held` behind it; returns how many moved."""
        ...

    async def quarantined_keys(self) -> set[tuple[str, str]]: ...

    async def take_back(self) -> bool:
        """Put released rows back into the outbox, in their old places; True when there were any."""
        ...

    async def backlog(self) -> Backlog: ...

    async def close(self) -> None: ...


class PostgresOutbox:
    """One term as the relay: a connection that holds the advisory lock, and the epoch that fences it."""

    def __init__(self, settings: DatabaseSettings, *, service: str, owner: str) -> None:
        self._settings = settings
        self._service = service
        self._owner = owner
        self._connection: asyncpg.Connection | None = None
        self._epoch = 0

    async def acquire(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            name = f"ibora-{self._service}-relay"
            self._connection = await connect_directly(self._settings, application=name)
        if not await self._lock(self._connection):
            return False
        self._epoch = await self._connection.fetchval(_TAKE_LEASE, self._owner)
        return True

    async def fetch(self, *, floor: int, limit: int) -> Fetched:
        records = await self._open().fetch(_FETCH, floor, limit)
        rows = [PendingRow(*record[1:]) for record in records if record[1] is not None]
        return Fetched(rows=rows, xmin=records[0][0])

    async def delete(self, ids: Sequence[int]) -> tuple[int, int]:
        row = await self._open().fetchrow(_DELETE, ids, self._epoch)
        assert row is not None, "an aggregate always has a row"
        return row[0], row[1]

    async def quarantine(self, ids: Sequence[int], *, state: str, error: BaseException | None) -> int:
        name = type(error).__name__ if error else None
        text = str(error)[:500] if error else None
        moved: int = await self._open().fetchval(_QUARANTINE, ids, self._epoch, state, name, text)
        return moved

    async def quarantined_keys(self) -> set[tuple[str, str]]:
        return {(row["topic"], row["key"]) for row in await self._open().fetch(_QUARANTINED_KEYS)}

    async def take_back(self) -> bool:
        return bool(await self._open().fetchval(_TAKE_BACK))

    async def backlog(self) -> Backlog:
        row = await self._open().fetchrow(_BACKLOG)
        assert row is not None, "a row of counts"
        return Backlog(row[0], row[1], row[2], row[3])

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        await close_directly(connection)

    async def _lock(self, connection: asyncpg.Connection) -> bool:
        return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", LOCK_SPACE, RELAY_LOCK))

    def _open(self) -> asyncpg.Connection:
        assert self._connection is not None, "acquire first"
        return self._connection


_TAKE_LEASE = """
WITH taken AS (
  UPDATE outbox_lease SET epoch = (SELECT max(epoch) + 1 FROM outbox_lease), owner = $1, since = now()
  RETURNING epoch)
SELECT max(epoch) FROM taken"""

# One statement, so rows and xmin are of one snapshot.
_FETCH = """
SELECT s.xmin, o.*
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) s
LEFT JOIN LATERAL (
  SELECT id, topic, key, headers, payload, created_at FROM outbox
  WHERE id > $1 ORDER BY id LIMIT $2) o ON true
ORDER BY o.id"""

_MINE = "EXISTS (SELECT 1 FROM outbox_lease l WHERE l.shard = outbox.shard AND l.epoch = $2)"

# The floor may only use an xid assigned after the deleted rows were seen: the one of this very statement.
_DELETE = f"""
WITH gone AS (DELETE FROM outbox WHERE id = ANY($1::bigint[]) AND {_MINE} RETURNING 1)
SELECT count(*), pg_current_xact_id()::text::bigint FROM gone"""  # noqa: S608  # constants of this module

_COLUMNS = "id, shard, event_id, topic, key, event_type, aggregate_version, headers, payload, created_at"

_QUARANTINE = f"""
WITH gone AS (DELETE FROM outbox WHERE id = ANY($1::bigint[]) AND {_MINE} RETURNING {_COLUMNS}),
moved AS (
  INSERT INTO outbox_quarantine ({_COLUMNS}, state, error_class, error)
  SELECT {_COLUMNS}, $3::text, $4::text, $5::text FROM gone
  ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, error_class = EXCLUDED.error_class,
    error = EXCLUDED.error, quarantined_at = now(), settled_at = NULL
  RETURNING 1)
SELECT count(*) FROM moved"""  # noqa: S608  # constants of this module only

_QUARANTINED_KEYS = "SELECT DISTINCT topic, key FROM outbox_quarantine WHERE state IN ('head', 'held')"

# Held rows whose head is gone (released or discarded) follow it back.
_TAKE_BACK = f"""
WITH back AS (
  UPDATE outbox_quarantine q SET state = 'released', settled_at = now()
  WHERE (q.state = 'released' AND q.settled_at IS NULL)
     OR (q.state = 'held' AND NOT EXISTS (
           SELECT 1 FROM outbox_quarantine h
           WHERE h.topic = q.topic AND h.key = q.key AND h.state = 'head'))
  RETURNING {_COLUMNS}),
placed AS (
  INSERT INTO outbox ({_COLUMNS}) OVERRIDING SYSTEM VALUE SELECT * FROM back RETURNING 1)
SELECT count(*) FROM placed"""  # noqa: S608  # constants of this module only

_BACKLOG = f"""
SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT {COUNT_LIMIT}) c),
       coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at)::float8
                 FROM outbox ORDER BY id LIMIT 1), 0),
       (SELECT count(*) FROM outbox_quarantine WHERE state = 'head'),
       (SELECT count(*) FROM outbox_quarantine WHERE state = 'held')"""  # noqa: S608
