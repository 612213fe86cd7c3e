"""The sweeper: tries parked heads again, then lets what was held behind them follow, in order."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, text

from kernel.clock import Clock
from messaging.envelope import Stored
from messaging.item import Sorter
from messaging.metrics import PARKED
from messaging.parking import backoff, error_columns
from messaging.settings import KafkaSettings
from messaging.tracing import processing
from storage import Cause, Database, Transaction
from telemetry import get_logger

log = get_logger(__name__)

KEYS_A_SWEEP: Final = 100

# A key is due when its first open event is: a held one without a head (it was discarded) is due at once.
_DUE = text("""
SELECT topic, key FROM (
  SELECT DISTINCT ON (topic, key) topic, key, seq, next_attempt_at FROM parked_event
  WHERE consumer = :consumer AND state IN ('head', 'held')
  ORDER BY topic, key, seq) first
WHERE next_attempt_at IS NULL OR next_attempt_at <= :now
ORDER BY seq LIMIT :limit
""")

_FIRST = text("""
SELECT seq, event_id, topic, partition, "offset", key, headers, payload, attempts, next_attempt_at
FROM parked_event
WHERE consumer = :consumer AND topic = :topic AND key = :key AND state IN ('head', 'held')
ORDER BY seq LIMIT 1 FOR UPDATE
""")

_RELEASE = text("UPDATE parked_event SET state = 'released', settled_at = :now WHERE seq = :seq")

_FAIL = text("""
UPDATE parked_event SET state = 'head', attempts = attempts + 1, next_attempt_at = :next_attempt_at,
  error_class = :error_class, error = :error, fingerprint = :fingerprint
WHERE seq = :seq
""")

_COUNT = text("""
SELECT count(*) FILTER (WHERE state = 'head') AS head, count(*) FILTER (WHERE state = 'held') AS held
FROM parked_event WHERE consumer = :consumer AND state IN ('head', 'held')
""")


class _Failed(Exception):
    """Carries the parked event's place out of the rolled-back transaction."""

    def __init__(self, seq: int, attempts: int, error: Exception) -> None:
        super().__init__(seq)
        self.seq = seq
        self.attempts = attempts
        self.error = error


class Sweeper:
    """Runs in every worker of a service; a row lock decides who takes a key."""

    def __init__(
        self,
        *,
        database: Database[Any],
        sorter: Sorter,
        consumer: str,
        settings: KafkaSettings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._sorter = sorter
        self._consumer = consumer
        self._settings = settings
        self._clock = clock
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.is_set():
            try:
                await self.sweep()
            except Exception as error:  # the next sweep tries again  # noqa: BLE001
                log.warning("sweep_failed", error_type=type(error).__name__)
            await _wait(self._stopping, self._settings.sweep_every_s)

    def stop(self) -> None:
        self._stopping.set()

    async def sweep(self) -> int:
        """Try every key that is due, as far as it goes; returns how many events were released."""
        released = 0
        for row in await self._due():
            released += await self._drain(row.topic, row.key)
        await self._measure()
        return released

    async def _due(self) -> Sequence[Row[Any]]:
        async with self._database.transaction() as tx:
            names = {"consumer": self._consumer, "now": self._clock.now(), "limit": KEYS_A_SWEEP}
            rows: Sequence[Row[Any]] = (await tx.session.execute(_DUE, names)).all()
        return rows

    async def _drain(self, topic: str, key: str) -> int:
        released = 0
        while not self._stopping.is_set():
            try:
                async with self._database.transaction() as tx:
                    if not await self._next(tx, topic, key):
                        return released
            except _Failed as failed:
                await self._rest(failed)
                return released
            released += 1
        return released

    async def _next(self, tx: Transaction, topic: str, key: str) -> bool:
        """Process the key's first open event; False when there is none that is due."""
        names = {"consumer": self._consumer, "topic": topic, "key": key}
        row = (await tx.session.execute(_FIRST, names)).one_or_none()
        now = self._clock.now()
        if row is None or (row.next_attempt_at is not None and row.next_attempt_at > now):
            return False
        try:
            await self._effect(tx, row)
        except Exception as error:
            raise _Failed(row.seq, row.attempts, error) from error
        await tx.session.execute(_RELEASE, {"seq": row.seq, "now": now})
        log.info("parked_event_released", event_id=str(row.event_id), topic=topic)
        return True

    async def _effect(self, tx: Transaction, row: Row[Any]) -> None:
        stored = Stored(row.topic, row.partition, row.offset, row.key, row.payload, row.headers)
        item = self._sorter.item(stored.record(), now=self._clock.now())
        if item is None:
            return  # no handler wants this type any more
        if item.error is not None:
            raise item.error
        assert item.handler is not None, "a fit item has a handler"
        delivery = item.delivery
        cause = Cause(event_id=delivery.id, correlation_id=delivery.correlation_id or delivery.id)
        with processing(delivery, group=self._consumer), tx.caused_by(cause):
            await item.handler(tx, item.fact, delivery)

    async def _rest(self, failed: _Failed) -> None:
        rest = backoff(
            failed.attempts + 1,
            first_s=self._settings.sweep_first_retry_s,
            longest_s=self._settings.sweep_longest_retry_s,
        )
        columns = {
            "seq": failed.seq,
            "next_attempt_at": self._clock.now() + rest,
            **error_columns(failed.error),
        }
        async with self._database.transaction() as tx:
            await tx.session.execute(_FAIL, columns)
        log.warning("parked_event_failed_again", seq=failed.seq, error_type=type(failed.error).__name__)

    async def _measure(self) -> None:
        async with self._database.reading() as tx:
            row = (await tx.session.execute(_COUNT, {"consumer": self._consumer})).one()
        PARKED.labels(state="head").set(row.head)
        PARKED.labels(state="held").set(row.held)


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
