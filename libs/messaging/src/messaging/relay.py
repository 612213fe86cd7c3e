"""The relay: publishes the outbox to Kafka, in order per key, at least once (messaging reference §5.2)."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from messaging.failpoints import reach
from messaging.floor import Floor
from messaging.metrics import (
    BATCH_SIZE,
    FENCED,
    FLOOR_VIOLATIONS,
    LEADER,
    OLDEST_AGE,
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
from messaging.wake import waker
from telemetry import get_logger

log = get_logger(__name__)

STANDBY_S: Final = 0.5
RECOVER_S: Final = 0.5
SWEEP_S: Final = 10.0
LOOK_ROUND_S: Final = 1.0
MEASURE_S: Final = 5.0
SHARDS: Final = 16


class Fenced(Exception):
    """Another relay has taken over: this term is over."""


class GaveUp(Exception):
    """The broker acknowledged nothing for too long: this producer is thrown away."""


class Relay:
    """Runs terms until stopped: take the lease, publish and delete, step down."""

    def __init__(
        self,
        *,
        source: OutboxSource,
        open_publisher: OpenPublisher,
        settings: KafkaSettings,
        on_give_up: Callable[[str], None] | None = None,
    ) -> None:
        self._source = source
        self._open_publisher = open_publisher
        self._settings = settings
        self._on_give_up = on_give_up
        self._wake = waker()
        self._stopping = False
        self._slow_s = 0.0
        self._gave_up: str | None = None

    async def run(self) -> None:
        """Until `stop`; whatever breaks a term starts the next one."""
        while not self._stopping:
            try:
                if await self._source.acquire():
                    await self._term()
                else:
                    await self._pause(STANDBY_S)
            except (Fenced, GaveUp) as end:
                log.warning("relay_term_ended", reason=type(end).__name__, detail=str(end))
            except Exception as error:  # a term may fail in any way; the next one starts clean  # noqa: BLE001
                log.warning("relay_term_failed", error_type=type(error).__name__, error=str(error)[:300])
                await self._source.close()
                await self._pause(RECOVER_S)
        await self._source.close()

    def stop(self) -> None:
        """Finish the batch at hand, then step down."""
        self._stopping = True
        self._wake.set()

    def slow(self) -> str | None:
        """A reason not to be ready: the broker has not acknowledged for long."""
        if self._slow_s >= self._settings.relay_slow_s:
            return f"relay: no acknowledgement for {self._slow_s:.0f} s"
        return None

    def unhealthy(self) -> str | None:
        """A reason to be restarted."""
        return self._gave_up

    async def _term(self) -> None:
        publisher = await self._open_publisher()
        term = Term(
            self._source, publisher, self._open_publisher, settings=self._settings, waiting=self._waiting
        )
        _lead(leading=True)
        try:
            await term.start()
            while not self._stopping:
                busy = await term.turn()
                self._slow_s, self._gave_up = 0.0, None
                await self._rest(term, busy=busy)
        except BaseException:
            await term.publisher.kill()
            await self._source.close()
            raise
        else:
            await term.publisher.close()
        finally:
            _lead(leading=False)

    async def _rest(self, term: "Term", *, busy: bool) -> None:
        if busy:
            return
        shortest, longest = self._settings.relay_idle_ms
        wait_ms = min(longest, shortest * term.idle_turns)
        await self._pause(wait_ms / 1000)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _waiting(self, seconds: float) -> None:
        self._slow_s = seconds
        if seconds >= self._settings.relay_give_up_s:
            self._gave_up = f"relay: gave the producer up after {seconds:.0f} s without acknowledgement"
            if self._on_give_up is not None:
                self._on_give_up(self._gave_up)
            raise GaveUp(self._gave_up)
        if self._stopping and seconds >= self._settings.consumer_drain_s:
            raise GaveUp("stopping while the broker is away")


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
        """One fetch and what follows; True when there was anything to do."""
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
        if await self._handle(list(fetched.rows)):
            full = len(fetched.rows) >= self._limit
            self._floor.rise(fetched.xmin, seen_to=fetched.rows[-1].id if full else None)
        return True

    async def _handle(self, rows: list[PendingRow]) -> bool:
        """True when every row is gone, so that the floor may rise."""
        held = [row for row in rows if (row.topic, row.key) in self._quarantined]
        if held:
            await self._hold(held)
            rows = [row for row in rows if (row.topic, row.key) not in self._quarantined]
        if not rows:
            return False
        with sending(rows):
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
        await self._source.quarantine([row.id for row in rows], state="held", error=None)

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

    def _count_violations(self, rows: object) -> None:
        assert isinstance(rows, list)
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


def _lead(*, leading: bool) -> None:
    for shard in range(SHARDS):
        LEADER.labels(shard=str(shard)).set(1 if leading else 0)
