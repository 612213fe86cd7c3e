"""Finds the event that kills the process: starts that were never followed by an end."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from messaging.ports import Partition

DEADLY_STARTS: Final = 3

_BEGIN = text("""
INSERT INTO consume_attempt AS a (consumer, topic, partition, "offset", started)
VALUES (:consumer, :topic, :partition, :offset, 1)
ON CONFLICT (consumer, topic, partition, "offset") DO UPDATE SET started = a.started + 1
RETURNING started - finished - 1
""")

_FINISH = text("""
UPDATE consume_attempt SET finished = started
WHERE consumer = :consumer AND topic = :topic AND partition = :partition AND "offset" = :offset
""")

_CLEAR = text("""
DELETE FROM consume_attempt
WHERE consumer = :consumer AND topic = :topic AND partition = :partition AND "offset" <= :offset
""")


class Deadly(ValueError):
    """Processing this event ended the process several times."""


class Attempts:
    """The attempts of one consumer. Every call must commit on its own to outlive a crash."""

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer

    async def begin(self, session: AsyncSession, partition: Partition, *, offset: int) -> int:
        """Note a start; returns how many earlier starts never ended."""
        result = await session.execute(_BEGIN, self._place(partition, offset))
        return int(result.scalar_one())

    async def finish(self, session: AsyncSession, partition: Partition, *, offset: int) -> None:
        """The attempt ended, however: it did not kill the process."""
        await session.execute(_FINISH, self._place(partition, offset))

    async def clear(self, session: AsyncSession, partition: Partition, *, offset: int) -> None:
        """Everything up to `offset` is done."""
        await session.execute(_CLEAR, self._place(partition, offset))

    def _place(self, partition: Partition, offset: int) -> dict[str, object]:
        return {
            "consumer": self._consumer,
            "topic": partition.topic,
            "partition": partition.partition,
            "offset": offset,
        }
