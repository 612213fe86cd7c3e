"""The users' logs in Postgres. Messages are collected and written once, just before the commit."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notification.adapters.tables import log_identity, messages, streams
from notification.domain.message import Logged, Message
from storage import Prepared, driver_of
from telemetry.tracing import TRACEPARENT, current_headers

_ADD: Final = Prepared(insert(messages), columns=[column.name for column in messages.c])
_RESERVE: Final = """
INSERT INTO streams (user_id, last_offset)
SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS asked (user_id, n) ORDER BY user_id
ON CONFLICT (user_id) DO UPDATE SET last_offset = streams.last_offset + excluded.last_offset
RETURNING user_id, last_offset"""


class SqlMessageLog:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._waiting: list[tuple[Message, str | None]] = []

    def add(self, added: Sequence[Message]) -> None:
        """Now is the event's span current; when the batch is written it has ended."""
        traceparent = current_headers().get(TRACEPARENT)
        self._waiting.extend((message, traceparent) for message in added)

    async def flush(self, *, now: datetime) -> Sequence[Logged]:
        """Number and write what was collected.

        The users' counters are locked in one statement, in the order of their ids, and until the commit: so
        offsets have no gaps, and two transactions never wait for each other.
        """
        if not self._waiting:
            return []
        next_offset = await self._reserve(Counter(message.user_id for message, _ in self._waiting))
        logged = []
        for message, traceparent in self._waiting:
            offset = next_offset[message.user_id]
            logged.append(Logged(offset=offset, message=message, traceparent=traceparent))
            next_offset[message.user_id] += 1
        self._waiting.clear()
        await _ADD.execute_many(self._session, [_row(entry, now=now) for entry in logged])
        return logged

    async def epoch(self) -> str:
        found = await self._session.execute(select(log_identity.c.epoch))
        return str(found.scalar_one())

    async def last_offset(self, user_id: UUID) -> int:
        found = await self._session.execute(select(streams.c.last_offset).where(streams.c.user_id == user_id))
        return found.scalar_one_or_none() or 0

    async def after(self, positions: Mapping[UUID, int], *, limit: int) -> Sequence[Logged]:
        newer = text(
            "SELECT m.user_id, m.log_offset, m.event_id, m.type, m.data, m.occurred_at, m.traceparent FROM messages m"
            " JOIN unnest(CAST(:users AS uuid[]), CAST(:positions AS bigint[])) AS asked (user_id, position)"
            " ON asked.user_id = m.user_id AND m.log_offset > asked.position"
            " ORDER BY m.user_id, m.log_offset LIMIT :limit"
        )
        asked = {"users": list(positions), "positions": list(positions.values()), "limit": limit}
        return [
            Logged(
                offset=row["log_offset"],
                message=Message(
                    user_id=row["user_id"],
                    id=row["event_id"],
                    type=row["type"],
                    occurred_at=row["occurred_at"],
                    data=row["data"],
                ),
                traceparent=row["traceparent"],
            )
            for row in (await self._session.execute(newer, asked)).mappings()
        ]

    async def drop_before(self, before: datetime, *, limit: int) -> int:
        old = (
            select(messages.c.user_id, messages.c.log_offset)
            .where(messages.c.created_at < before)
            .limit(limit)
        )
        dropped = await self._session.execute(
            delete(messages)
            .where(tuple_(messages.c.user_id, messages.c.log_offset).in_(old))
            .returning(messages.c.log_offset)
        )
        return len(dropped.all())

    async def _reserve(self, counts: Mapping[UUID, int]) -> dict[UUID, int]:
        users = sorted(counts)
        driver = await driver_of(self._session)
        reserved = await driver.fetch(_RESERVE, users, [counts[user] for user in users])
        return {user_id: last - counts[user_id] + 1 for user_id, last in reserved}


def _row(entry: Logged, *, now: datetime) -> dict[str, object]:
    return {
        "user_id": entry.message.user_id,
        "log_offset": entry.offset,
        "event_id": entry.message.id,
        "type": entry.message.type,
        "data": dict(entry.message.data),
        "occurred_at": entry.message.occurred_at,
        "created_at": now,
        "traceparent": entry.traceparent,
    }
