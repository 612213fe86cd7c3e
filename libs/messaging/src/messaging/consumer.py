"""The consumer: polls, hands records to one worker a partition, commits offsets after the database."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from messaging.metrics import CONSUMED, LAG, OPERATION_DURATION, REBALANCES
from messaging.partition_worker import PartitionWorker
from messaging.ports import Partition, Reader, RebalanceListener
from messaging.processor import Processor
from messaging.settings import KafkaSettings
from telemetry import get_logger

log = get_logger(__name__)

POLL_MS: Final = 100
COMMIT_EVERY_S: Final = 0.2
RECOVER_S: Final = 1.0
LAG_EVERY_S: Final = 5.0

OpenReader = Callable[[RebalanceListener], Awaitable[Reader]]


class Consumer:
    """A member of the service's group. `prepare` runs before the first poll and must succeed."""

    def __init__(
        self,
        *,
        open_reader: OpenReader,
        processor: Processor,
        settings: KafkaSettings,
        group: str,
        prepare: Callable[[], Awaitable[None]],
    ) -> None:
        self._open_reader = open_reader
        self._processor = processor
        self._settings = settings
        self._group = group
        self._prepare = prepare
        self._workers: dict[Partition, PartitionWorker] = {}
        self._committed: dict[Partition, int] = {}
        self._reader: Reader | None = None
        self._stopping = False
        self._polled_at = time.monotonic()
        self._measured_at = 0.0
        self._idle_member = False
        self.joined = False

    async def run(self) -> None:
        """Until `stop`; joins again after whatever ends a membership."""
        while not self._stopping:
            self._polled_at = time.monotonic()
            try:
                await self._prepare()
                await self._membership()
            except Exception as error:  # a membership may end in any way; join again  # noqa: BLE001
                log.warning("consumer_failed", error_type=type(error).__name__, error=str(error)[:300])
                await asyncio.sleep(RECOVER_S)

    def stop(self) -> None:
        """Finish the batches at hand, commit, leave the group."""
        self._stopping = True

    def unhealthy(self) -> str | None:
        """A reason to be restarted: a stuck worker, or a poll loop that no longer turns."""
        stuck_s = self._settings.consumer_stuck_s
        silent_s = time.monotonic() - self._polled_at
        if silent_s > stuck_s:
            return f"consumer: no poll for {silent_s:.0f} s"
        reasons = (worker.unhealthy(stuck_s=stuck_s) for worker in self._workers.values())
        return next((reason for reason in reasons if reason), None)

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Kafka takes partitions away: finish, commit, forget.

        The reader returns no records from before this call until the new assignment stands.
        """
        await self._drain(partitions)

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        """Kafka gives partitions: reading starts at the committed offsets."""
        REBALANCES.inc()
        self._idle_member = not partitions
        self._polled_at = time.monotonic()
        log.info("consumer_assigned", partitions=len(partitions))

    async def _membership(self) -> None:
        self._reader = await self._open_reader(self)
        committer = asyncio.create_task(self._keep_committing(), name="commit offsets")
        try:
            while not self._stopping:
                await self._turn(self._reader)
        finally:
            committer.cancel()
            await asyncio.wait([committer])
            await self._drain(list(self._workers))
            await self._reader.close()
            self._reader = None
            self.joined = self._idle_member = False

    async def _turn(self, reader: Reader) -> None:
        batches = await reader.poll(timeout_ms=POLL_MS, max_records=self._settings.consumer_max_records)
        self._polled_at = time.monotonic()
        for partition, records in batches.items():
            worker = self._worker(partition)
            worker.offer(records)
            CONSUMED.labels("kafka", partition.topic, "poll", self._group).inc(len(records))
            if worker.full() and not worker.paused:
                worker.paused = True
                reader.pause(partition)
        self._resume_hungry(reader)
        self._measure_lag(reader)
        # A member may be left without partitions: there are more processes than partitions.
        self.joined = self.joined or self._idle_member or reader.settled()

    def _resume_hungry(self, reader: Reader) -> None:
        for partition, worker in self._workers.items():
            if worker.paused and worker.hungry():
                worker.paused = False
                reader.resume(partition)

    def _worker(self, partition: Partition) -> PartitionWorker:
        worker = self._workers.get(partition)
        if worker is None:
            worker = PartitionWorker(
                partition,
                processor=self._processor,
                batch=self._settings.consumer_max_records,
            )
            self._workers[partition] = worker
        return worker

    async def _drain(self, partitions: Iterable[Partition]) -> None:
        workers = [self._workers.pop(p) for p in partitions if p in self._workers]
        await asyncio.gather(*(w.drain(timeout_s=self._settings.consumer_drain_s) for w in workers))
        await self._commit(workers)
        for worker in workers:
            self._committed.pop(worker.partition, None)

    async def _keep_committing(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_EVERY_S)
            try:
                await self._commit(list(self._workers.values()))
            except Exception as error:  # an offset not committed is only read again  # noqa: BLE001
                log.warning("commit_offsets_failed", error_type=type(error).__name__)

    async def _commit(self, workers: Sequence[PartitionWorker]) -> None:
        offsets = {
            worker.partition: worker.next_offset
            for worker in workers
            if worker.next_offset is not None and worker.next_offset != self._committed.get(worker.partition)
        }
        if not offsets or self._reader is None:
            return
        with OPERATION_DURATION.labels("kafka", "*", "commit", "").time():
            if not await self._reader.commit(offsets):
                return
        self._committed.update(offsets)
        for worker in workers:
            worker.cautious = worker.cautious and worker.partition not in offsets

    def _measure_lag(self, reader: Reader) -> None:
        now = time.monotonic()
        if now - self._measured_at < LAG_EVERY_S:
            return
        self._measured_at = now
        for partition in self._workers:
            lag = reader.lag(partition)
            if lag is not None:
                LAG.labels(topic=partition.topic, partition=str(partition.partition)).set(lag)
