"""Processes the records of one partition: a batch in one transaction, or one by one when it fails.

Everything an event does commits together: its inbox row, its effect, the facts it publishes, or its parking.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from kernel.clock import Clock
from messaging.attempts import DEADLY_STARTS, Attempts, Deadly
from messaging.failpoints import reach
from messaging.faults import ParkingGuard, is_permanent
from messaging.inbox import admit
from messaging.item import Item, Sorter
from messaging.metrics import BLOCKED, CONFLICTS, DUPLICATES, EVENT_AGE, PROCESS_DURATION, RETRIES
from messaging.parking import PayloadConflict, backoff, hold, open_keys, park_head
from messaging.ports import Partition, Record
from messaging.sequence import SequenceWatch
from messaging.settings import KafkaSettings
from messaging.tracing import processing
from storage import Cause, Database, Transaction
from telemetry import get_logger

log = get_logger(__name__)

FINISH_TIMEOUT_S: Final = 2.0


class Processor:
    """Shared by the partitions of one consumer; `consumer` is the service's name."""

    def __init__(
        self,
        *,
        database: Database[Any],
        sorter: Sorter,
        consumer: str,
        settings: KafkaSettings,
        clock: Clock,
        guard: ParkingGuard,
    ) -> None:
        self._database = database
        self._sorter = sorter
        self._consumer = consumer
        self._settings = settings
        self._clock = clock
        self._guard = guard
        self._attempts = Attempts(consumer)
        self._sequence = SequenceWatch()
        self._turns = asyncio.Semaphore(settings.consumer_concurrency)

    async def process(self, records: Sequence[Record], *, cautious: bool, progress: "Progress") -> None:
        """Process `records` of one partition, in order; returns when each had its effect or was parked.

        `cautious` says that no offset was committed since the partition was assigned: a crash may lie behind.
        """
        self._guard.relax()
        BLOCKED.set(int(self._guard.blocks()))
        self._sequence.watch(records)
        items = self._sorter.sort(records, now=self._clock.now())
        if not items:
            return
        place = Partition(items[0].delivery.topic, items[0].delivery.partition)
        starts = await self._begin(place, items[0], progress=progress) if cautious else 0
        if starts > 0:
            await self._counted(items, place=place, starts=starts, progress=progress)
        elif not await self._together(items, progress=progress):
            for item in items:
                await self._alone(item, progress=progress)
        if cautious:
            await self._in_place(
                items[-1], lambda: self._note(self._attempts.clear, place, items[-1]), progress=progress
            )

    async def _together(self, items: Sequence[Item], *, progress: "Progress") -> bool:
        """The whole batch in one transaction; False when anything in it failed."""
        try:
            await self._commit(items, progress=progress)
        except Exception as error:  # whatever it was, one by one will tell whose it is  # noqa: BLE001
            log.info("consume_batch_failed", error_type=type(error).__name__, events=len(items))
            return False
        for item in items:
            self._guard.saw(_guard_key(item))
        return True

    async def _counted(
        self, items: Sequence[Item], *, place: Partition, starts: int, progress: "Progress"
    ) -> None:
        """One by one after a crash, each start noted, so that the event that kills the process is found."""
        for item in items:
            if item is not items[0]:
                starts = await self._begin(place, item, progress=progress)
            if starts >= DEADLY_STARTS:
                await self._park_in_place(item, Deadly("processing it ended the process"), progress=progress)
                continue
            try:
                await self._alone(item, progress=progress)
            finally:
                # Also when we are stopped: that is no crash, and must not count as one.
                with suppress(Exception):
                    async with asyncio.timeout(FINISH_TIMEOUT_S):
                        await self._note(self._attempts.finish, place, item)

    async def _alone(self, item: Item, *, progress: "Progress") -> None:
        """One event, tried until it succeeds or is parked."""
        started = time.monotonic()
        tries = 0
        while True:
            tries += 1
            progress.touch()
            try:
                await self._commit([item], progress=progress)
            except Exception as error:  # sorted by is_permanent, never swallowed  # noqa: BLE001
                spent = time.monotonic() - started > self._settings.consumer_retry_budget_s
                if (spent or is_permanent(error, tries=tries)) and await self._parked(item, error):
                    return
                RETRIES.labels(topic=item.delivery.topic, error_type=type(error).__name__).inc()
                await progress.rest(self._jitter(tries))
            else:
                self._guard.saw(_guard_key(item))
                return

    async def _commit(self, items: Sequence[Item], *, progress: "Progress") -> None:
        started = time.perf_counter()
        outcome = ""
        try:
            async with self._turns, self._database.transaction() as tx:
                duplicates = await self._effects(tx, items, progress=progress)
                await reach("consumer.before_commit")
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            duration = PROCESS_DURATION.labels(
                "kafka", items[0].delivery.topic, "process", self._consumer, outcome
            )
            duration.observe(time.perf_counter() - started)
        await reach("consumer.after_commit")
        DUPLICATES.labels(topic=items[0].delivery.topic).inc(duplicates)
        self._observe_ages(items)

    async def _effects(self, tx: Transaction, items: Sequence[Item], *, progress: "Progress") -> int:
        """Handle what is fresh, hold what waits behind a parked head; returns how many were duplicates."""
        topic = items[0].delivery.topic
        admission = await admit(tx.session, items, consumer=self._consumer)
        # After the inbox, which may have waited for another transaction that parked one of these keys.
        waiting = await open_keys(tx.session, items, consumer=self._consumer, topic=topic)
        if admission.conflicting:
            raise PayloadConflict("an event id came again with another payload")
        held: list[Item] = []
        for item in admission.fresh:
            progress.touch()
            if item.delivery.key in waiting:
                held.append(item)
            else:
                await self._effect(tx, item)
        await hold(tx.session, held, consumer=self._consumer)
        return admission.duplicates

    async def _effect(self, tx: Transaction, item: Item) -> None:
        if item.error is not None:
            raise item.error
        assert item.handler is not None, "a fit item has a handler"
        delivery = item.delivery
        cause = Cause(delivery.id, delivery.correlation_id or delivery.id)
        with processing(delivery, group=self._consumer), tx.caused_by(cause):
            await item.handler(tx, item.fact, delivery)

    async def _parked(self, item: Item, error: Exception) -> bool:
        """Park the event and its key; False when too many keys fail, or the database did not take it."""
        if not self._guard.may_park(_guard_key(item)):
            BLOCKED.set(1)
            log.error("consumer_blocks", topic=item.delivery.topic, error_type=type(error).__name__)
            return False
        try:
            async with self._turns, self._database.transaction() as tx:
                await self._park(tx, item, error)
        except Exception as failure:  # the caller tries again  # noqa: BLE001
            log.warning("park_event_failed", error_type=type(failure).__name__)
            return False
        return True

    async def _park(self, tx: Transaction, item: Item, error: Exception) -> None:
        delivery = item.delivery
        admission = await admit(tx.session, [item], consumer=self._consumer)
        if not admission.fresh and not admission.conflicting:
            return  # processed meanwhile, by whoever had this partition before us
        waiting = await open_keys(tx.session, [item], consumer=self._consumer, topic=delivery.topic)
        if delivery.key in waiting and not isinstance(error, PayloadConflict):
            await hold(tx.session, [item], consumer=self._consumer)
            return
        rest = backoff(
            1, first_s=self._settings.sweep_first_retry_s, longest_s=self._settings.sweep_longest_retry_s
        )
        retry_at = None if isinstance(error, PayloadConflict | Deadly) else self._clock.now() + rest
        if isinstance(error, PayloadConflict):
            CONFLICTS.labels(topic=delivery.topic).inc()
        await park_head(tx.session, item, consumer=self._consumer, error=error, retry_at=retry_at)
        log.error(
            "event_parked",
            event_id=str(delivery.id),
            type=delivery.type,
            topic=delivery.topic,
            error_type=type(error).__name__,
        )

    async def _park_in_place(self, item: Item, error: Exception, *, progress: "Progress") -> None:
        tries = 0
        while not await self._parked(item, error):
            tries += 1
            await progress.rest(self._jitter(tries))

    async def _begin(self, place: Partition, item: Item, *, progress: "Progress") -> int:
        starts: int = await self._in_place(
            item, lambda: self._note(self._attempts.begin, place, item), progress=progress
        )
        return starts

    async def _note(self, write: Callable[..., Awaitable[Any]], place: Partition, item: Item) -> Any:
        async with self._turns, self._database.transaction() as tx:
            return await write(tx.session, place, offset=item.delivery.offset)

    async def _in_place(self, item: Item, work: Callable[[], Awaitable[Any]], *, progress: "Progress") -> Any:
        """Bookkeeping of ours: tried until the database takes it."""
        tries = 0
        while True:
            progress.touch()
            try:
                return await work()
            except Exception as error:  # our own statements fail only with the database  # noqa: BLE001
                tries += 1
                RETRIES.labels(topic=item.delivery.topic, error_type=type(error).__name__).inc()
                await progress.rest(self._jitter(tries))

    def _jitter(self, tries: int) -> float:
        longest = min(
            self._settings.consumer_retry_longest_s,
            self._settings.consumer_retry_first_s * 2 ** min(tries - 1, 20),
        )
        return random.uniform(0, longest)

    def _observe_ages(self, items: Sequence[Item]) -> None:
        now, ages = self._clock.now(), EVENT_AGE.labels(topic=items[0].delivery.topic)
        for item in items:
            age = max(timedelta(), now - item.delivery.time)
            ages.observe(age.total_seconds())


class Progress:
    """How long a partition's worker has shown no sign of life, and whether it only rests."""

    def __init__(self) -> None:
        self.touched_at = time.monotonic()
        self.resting = False

    def touch(self) -> None:
        self.touched_at = time.monotonic()

    async def rest(self, seconds: float) -> None:
        """Sleep between two tries; a revoked partition need not wait for it."""
        self.resting = True
        try:
            await asyncio.sleep(seconds)
        finally:
            self.resting = False
            self.touch()


def _guard_key(item: Item) -> str:
    return f"{item.delivery.topic}|{item.delivery.key}"
