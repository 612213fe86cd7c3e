"""What relay and consumer need from Kafka, so that neither knows the client library."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol


class Partition(NamedTuple):
    """A partition of a topic; `topic` without the stack's prefix, as everywhere above the adapter."""

    topic: str
    partition: int


class Record(NamedTuple):
    """One record as read. `value` is None for a tombstone; `key` is "" when the record has none."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: Mapping[str, str]


class Verdict(Enum):
    """What a failed send says."""

    POISON = "poison"  # the broker refuses this very record
    BROKEN = "broken"  # this producer must not be used again
    AWAY = "away"  # the broker is not reachable now; nothing is wrong with record or producer


class Publisher(Protocol):
    """An idempotent producer, acks=all, that never reorders within a partition."""

    async def send(
        self, topic: str, *, key: str, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[object]:
        """Hand the record over; the future resolves with the broker's ack."""
        ...

    def verdict(self, error: BaseException) -> Verdict: ...

    async def close(self) -> None:
        """Flush and close."""
        ...

    async def kill(self) -> None:
        """Close without flushing: what is not acknowledged may or may not appear in the log."""
        ...


OpenPublisher = Callable[[], Awaitable[Publisher]]


class RebalanceListener(Protocol):
    """Hears of partitions taken and given; `revoked` may wait, but takes no lock that the poll loop holds."""

    async def revoked(self, partitions: frozenset[Partition]) -> None: ...

    async def assigned(self, partitions: frozenset[Partition]) -> None: ...


class Reader(Protocol):
    """A member of a consumer group."""

    async def poll(self, *, timeout_ms: int, max_records: int) -> Mapping[Partition, Sequence[Record]]:
        """Records of partitions that are assigned at this very moment."""
        ...

    def pause(self, partition: Partition) -> None: ...

    def resume(self, partition: Partition) -> None: ...

    async def commit(self, offsets: Mapping[Partition, int]) -> bool:
        """Commit the next offsets to read, of those partitions still assigned; False when it failed."""
        ...

    def settled(self) -> bool:
        """Whether it has partitions and knows in each where it reads: from now on nothing is missed."""
        ...

    def lag(self, partition: Partition) -> int | None:
        """How many records behind the end, when known."""
        ...

    async def close(self) -> None: ...
