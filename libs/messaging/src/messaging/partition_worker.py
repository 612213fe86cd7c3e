"""One partition, one sequential worker: order is kept, and a slow key stops nobody else's partition."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from messaging.ports import Partition, Record
from messaging.processor import Progress


class BatchProcessor(Protocol):
    """What a worker needs of `Processor`."""

    async def process(self, records: Sequence[Record], *, cautious: bool, progress: Progress) -> None: ...


class PartitionWorker:
    """Takes what the poll loop offers in batches of `batch` records; `next_offset` moves with each commit.

    `cautious` until an offset was committed: after a crash, the event that caused it lies not far behind.
    """

    def __init__(self, partition: Partition, *, processor: BatchProcessor, batch: int) -> None:
        self.partition = partition
        self.next_offset: int | None = None
        self.paused = False
        self.cautious = True
        self._processor = processor
        self._batch = batch
        self._records: deque[Record] = deque()
        self._something = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._progress = Progress()
        self._task = asyncio.create_task(self._run(), name=f"consume {partition.topic}/{partition.partition}")

    def offer(self, records: Sequence[Record]) -> None:
        """More records, in order."""
        if not self._records and self._idle.is_set():
            self._progress.touch()
        self._records.extend(records)
        self._something.set()

    def full(self) -> bool:
        """Whether the poll loop should pause this partition."""
        return len(self._records) >= 2 * self._batch

    def hungry(self) -> bool:
        """Whether a paused partition may go on."""
        return len(self._records) < self._batch

    def unhealthy(self, *, stuck_s: float) -> str | None:
        """A reason when the worker ended, or shows no sign of life while it has work."""
        name = f"{self.partition.topic}/{self.partition.partition}"
        if self._task.done():
            return f"consumer: the worker of {name} ended"
        busy = bool(self._records) or not self._idle.is_set()
        silent_s = time.monotonic() - self._progress.touched_at
        if busy and not self._progress.resting and silent_s > stuck_s:
            return f"consumer: {name} makes no progress for {silent_s:.0f} s"
        return None

    async def drain(self, *, timeout_s: float) -> None:
        """Take nothing more, let the batch at hand end, then end."""
        self._records.clear()
        if not self._progress.resting:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._idle.wait()
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            while self._records:
                await self._one_batch()

    async def _one_batch(self) -> None:
        size = min(self._batch, len(self._records))
        batch = [self._records.popleft() for _ in range(size)]
        self._idle.clear()
        try:
            await self._processor.process(batch, cautious=self.cautious, progress=self._progress)
            self.next_offset = batch[-1].offset + 1
            self._progress.touch()
        finally:
            self._idle.set()
