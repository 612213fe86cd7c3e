"""The relay: publishes the outbox to Kafka, in order per key, at least once (messaging reference §5.2)."""

import asyncio
from collections.abc import Callable
from typing import Final

from messaging.metrics import LEADER
from messaging.outbox_source import OutboxSource
from messaging.ports import OpenPublisher
from messaging.settings import KafkaSettings
from messaging.term import Fenced, Term
from messaging.wake import waker
from telemetry import get_logger

log = get_logger(__name__)

STANDBY_S: Final = 0.5
RECOVER_S: Final = 0.5
SHARDS: Final = 16


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

    async def _rest(self, term: Term, *, busy: bool) -> None:
        """Go on at once through a backlog; let a little gather while there is traffic; else wait to be nudged."""
        shortest_ms, longest_ms = self._settings.relay_idle_ms
        if busy:
            return
        if term.idle_turns == 0:
            await asyncio.sleep(self._settings.relay_gather_ms / 1000)
        else:
            await self._pause(min(longest_ms, shortest_ms * term.idle_turns) / 1000)

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


def _lead(*, leading: bool) -> None:
    for shard in range(SHARDS):
        LEADER.labels(shard=str(shard)).set(1 if leading else 0)
