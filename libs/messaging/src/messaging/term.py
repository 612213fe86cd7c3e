"""One term of the relay: fetch, publish, delete, and what to do with rows that the broker refuses."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from messaging.failpoints import reach
from messaging.floor import Floor
from messaging.metrics import (
    BATCH_SIZE,
    FENCED,
    FLOOR_VIOLATIONS,
    OLDEST_AGE,
    OPERATION_DURATION,
    PENDING,
    PUBLISH_ERRORS,
    PUBLISH_LATENCY,
    PUBLISHED,
    QUARANTINED,
    RECREATED,
    SENT,
)
from messaging.outbox_source import OutboxSource, PendingRow
from messaging.ports import OpenPublisher, Publisher, Verdict
from messaging.settings import KafkaSettings
from messaging.shipment import Outcome, ship
from messaging.tracing import sending
from telemetry import get_logger

log = get_logger(__name__)

RECOVER_S: Final = 0.5
SWEEP_S: Final = 10.0
LOOK_ROUND_S: Final = 1.0
MEASURE_S: Final = 5.0


class Fenced(Exception):
    """Another relay has taken over: this term is over."""


class Term:
    """One lease: one producer at a time, the floor, and the keys in quarantine."""

    def __init__(
        self,
        source: OutboxSource,
        publisher: Publisher,
        open_publisher: OpenPublisher,
        *,
        settings: KafkaSettings,
        waiting: Callable[[float], None],
    ) -> None:
        self.publisher = publisher
        self.idle_turns = 0
        self._source = source
        self._open_publisher = open_publisher
        self._limit = settings.relay_batch
        self._waiting = waiting
        self._floor = Floor()
        self._quarantined: set[tuple[str, str]] = set()
        self._looked_at = self._swept_at = self._measured_at = -1e9

    async def start(self) -> None:
        """Learn which keys are held back."""
        await self._look_round()

    async def turn(self) -> bool:
        """One fetch and what follows; True when more is waiting already."""
        await self._look_round()
        sweep = time.monotonic() - self._swept_at >= SWEEP_S
        floor = 0 if sweep else self._floor.id
        fetched = await self._source.fetch(floor=floor, limit=self._limit)
        if sweep:
            self._swept_at = time.monotonic()
            self._count_violations(fetched.rows)
        if not fetched.rows:
            self._floor.rise(fetched.xmin, seen_to=None)
            self.idle_turns += 1
            return False
        self.idle_turns = 0
        full = len(fetched.rows) >= self._limit
        if await self._handle(list(fetched.rows)):
            self._floor.rise(fetched.xmin, seen_to=fetched.rows[-1].id if full else None)
        return full

    async def _handle(self, rows: list[PendingRow]) -> bool:
        """True when every row is gone, so that the floor may rise."""
        held = [row for row in rows if (row.topic, row.key) in self._quarantined]
        if held:
            await self._hold(held)
            rows = [row for row in rows if (row.topic, row.key) not in self._quarantined]
        if not rows:
            return False
        with sending(rows), OPERATION_DURATION.labels("kafka", "*", "send", "").time():
            outcome = await ship(self.publisher, rows, waiting=self._waiting)
        await reach("relay.after_ack")
        xid = await self._settle(outcome)
        if outcome.failed:
            await self._recover(outcome)
            return False
        if len(outcome.acked) == len(rows) and xid is not None:
            self._floor.handled(rows[-1].id, by_xid=xid)
        return True

    async def _settle(self, outcome: Outcome) -> int | None:
        if not outcome.acked:
            return None
        count, xid = await self._source.delete([row.id for row in outcome.acked])
        if count == 0:
            FENCED.inc()
            raise Fenced(f"{len(outcome.acked)} acknowledged rows were not ours to delete")
        _measure(outcome.acked)
        return xid

    async def _recover(self, outcome: Outcome) -> None:
        """Some rows failed: start the producer again and find the one to blame by sending singly."""
        self._floor.reset()
        verdicts = {self._verdict(error) for _, error in outcome.failed}
        if verdicts == {Verdict.AWAY}:
            await asyncio.sleep(RECOVER_S)
            return
        await self._replace_publisher(type(outcome.failed[0][1]).__name__)
        for row, _ in outcome.failed:
            await self._send_alone(row)

    async def _send_alone(self, row: PendingRow) -> None:
        if (row.topic, row.key) in self._quarantined:
            await self._hold([row])
            return
        single = await ship(self.publisher, [row], waiting=self._waiting)
        await self._settle(single)
        for _, error in single.failed:
            verdict = self._verdict(error)
            await self._replace_publisher(type(error).__name__)
            if verdict is not Verdict.POISON:
                raise error
            await self._quarantine(row, error)

    async def _quarantine(self, row: PendingRow, error: BaseException) -> None:
        if await self._source.quarantine([row.id], state="head", error=error) == 0:
            FENCED.inc()
            raise Fenced("a poison row was not ours to move")
        self._quarantined.add((row.topic, row.key))
        log.error(
            "outbox_row_quarantined", outbox_id=row.id, topic=row.topic, error_type=type(error).__name__
        )

    async def _hold(self, rows: list[PendingRow]) -> None:
        if await self._source.quarantine([row.id for row in rows], state="held", error=None) == 0:
            FENCED.inc()
            raise Fenced("held rows were not ours to move")

    async def _replace_publisher(self, reason: str) -> None:
        RECREATED.labels(reason=reason).inc()
        await self.publisher.kill()
        self.publisher = await self._open_publisher()

    def _verdict(self, error: BaseException) -> Verdict:
        PUBLISH_ERRORS.labels(error_type=type(error).__name__).inc()
        return self.publisher.verdict(error)

    async def _look_round(self) -> None:
        """Now and then: take released rows back, learn the quarantined keys, measure."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_ROUND_S:
            self._looked_at = now
            if await self._source.take_back():
                self._floor.reset()
            self._quarantined = await self._source.quarantined_keys()
        if now - self._measured_at >= MEASURE_S:
            self._measured_at = now
            backlog = await self._source.backlog()
            PENDING.set(backlog.pending)
            OLDEST_AGE.set(backlog.oldest_age_s)
            QUARANTINED.labels(state="head").set(backlog.quarantined_heads)
            QUARANTINED.labels(state="held").set(backlog.quarantined_held)

    def _count_violations(self, rows: Sequence[PendingRow]) -> None:
        below = [row.id for row in rows if row.id <= self._floor.id]
        if below:
            FLOOR_VIOLATIONS.inc(len(below))
            log.error("outbox_rows_below_floor", rows=len(below), floor=self._floor.id)


def _measure(rows: list[PendingRow]) -> None:
    now = datetime.now(UTC)
    BATCH_SIZE.observe(len(rows))
    counts: dict[str, int] = {}
    for row in rows:
        PUBLISH_LATENCY.observe((now - row.created_at).total_seconds())
        counts[row.topic] = counts.get(row.topic, 0) + 1
    for topic, count in counts.items():
        PUBLISHED.labels(topic=topic).inc(count)
        SENT.labels("kafka", topic, "send").inc(count)
