"""Finds the event that kills the process: starts that were never followed by an end."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from messaging.ports import Partition
from storage import driver_of

DEADLY_STARTS: Final = 3

_BEGIN: Final = """
INSERT INTO consume_attempt AS a (consumer, topic, partition, "offset", started)
VALUES ($1, $2, $3, $4, 1)
ON CONFLICT (consumer, topic, partition, "offset") DO UPDATE SET started = a.started + 1
RETURNING started - finished - 1
"""

_FINISH: Final = """
UPDATE consume_attempt SET finished = started
WHERE consumer = $1 AND topic = $2 AND partition = $3 AND "offset" = $4
"""

_CLEAR: Final = """
DELETE FROM consume_attempt
WHERE consumer = $1 AND topic = $2 AND partition = $3 AND "offset" <= $4
"""


class Deadly(ValueError):
    """Processing this event ended the process several times."""


class Attempts:
    """The attempts of one consumer. Every call must commit on its own to outlive a crash."""

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer

    async def begin(self, session: AsyncSession, partition: Partition, *, offset: int) -> int:
        """Note a start; returns how many earlier starts never ended."""
        unended = await (await driver_of(session)).fetchval(_BEGIN, *self._place(partition, offset))
        return int(unended)

    async def finish(self, session: AsyncSession, partition: Partition, *, offset: int) -> None:
        """The attempt ended, however: it did not kill the process."""
        await (await driver_of(session)).execute(_FINISH, *self._place(partition, offset))

    async def clear(self, session: AsyncSession, partition: Partition, *, offset: int) -> None:
        """Everything up to `offset` is done."""
        await (await driver_of(session)).execute(_CLEAR, *self._place(partition, offset))

    def _place(self, partition: Partition, offset: int) -> tuple[str, str, int, int]:
        return (self._consumer, partition.topic, partition.partition, offset)
