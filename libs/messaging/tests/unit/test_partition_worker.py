"""One partition's worker: sequential, drained on revoke, and known when it is stuck."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from messaging.partition_worker import PartitionWorker
from messaging.ports import Partition, Record
from messaging.processor import Progress
from testkit import eventually

PLACE = Partition("t", 0)


class FakeProcessor:
    """Notes the batches; `gate` holds each one up."""

    def __init__(self) -> None:
        self.batches: list[tuple[list[int], bool]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.rests = False

    async def process(self, records: Sequence[Record], *, cautious: bool, progress: Progress) -> None:
        if self.rests:
            await progress.rest(3600)
        await self.gate.wait()
        self.batches.append(([record.offset for record in records], cautious))


@asynccontextmanager
async def working(processor: FakeProcessor, *, batch: int = 3) -> AsyncIterator[PartitionWorker]:
    worker = PartitionWorker(PLACE, processor=processor, batch=batch)
    try:
        yield worker
    finally:
        await worker.drain(timeout_s=0)


def records(*offsets: int) -> list[Record]:
    return [Record("t", 0, offset, "k", b"", {}) for offset in offsets]


async def test_records_are_processed_in_batches_and_order() -> None:
    processor = FakeProcessor()
    async with working(processor) as worker:
        worker.offer(records(5, 6, 7, 8))
        await eventually(lambda: worker.next_offset == 9)
        assert processor.batches == [([5, 6, 7], True), ([8], True)]
        worker.cautious = False
        worker.offer(records(9))
        await eventually(lambda: worker.next_offset == 10)
        assert processor.batches[-1] == ([9], False)


async def test_a_full_queue_asks_for_a_pause() -> None:
    processor = FakeProcessor()
    processor.gate.clear()
    async with working(processor) as worker:
        worker.offer(records(*range(6)))
        assert worker.full()
        assert not worker.hungry()
        processor.gate.set()
        await eventually(worker.hungry)


async def test_a_drain_lets_the_batch_at_hand_end_and_drops_the_rest() -> None:
    processor = FakeProcessor()
    processor.gate.clear()
    worker = PartitionWorker(PLACE, processor=processor, batch=1)
    worker.offer(records(1, 2, 3))
    await eventually(lambda: not worker.unhealthy(stuck_s=60) and len(worker._records) == 2)
    drained = asyncio.create_task(worker.drain(timeout_s=5))
    await asyncio.sleep(0)
    processor.gate.set()
    await drained
    assert worker.next_offset == 2
    assert processor.batches == [([1], True)]


async def test_a_drain_does_not_wait_for_a_retry_that_rests() -> None:
    processor = FakeProcessor()
    processor.rests = True
    worker = PartitionWorker(PLACE, processor=processor, batch=1)
    worker.offer(records(1))
    await eventually(lambda: worker._progress.resting)
    await asyncio.wait_for(worker.drain(timeout_s=60), 5)
    assert worker.next_offset is None


async def test_a_stuck_worker_is_unhealthy_and_a_resting_or_idle_one_is_not() -> None:
    processor = FakeProcessor()
    async with working(processor) as worker:
        assert worker.unhealthy(stuck_s=0) is None
        processor.gate.clear()
        worker.offer(records(1))
        await eventually(lambda: worker.unhealthy(stuck_s=0.01))
        assert "makes no progress" in (worker.unhealthy(stuck_s=0.01) or "")
        processor.gate.set()
        await eventually(lambda: worker.unhealthy(stuck_s=0.01) is None)
