"""The worker: relay, consumer, sweeper, streams and jobs of one service, in one process."""

import asyncio
import os
import socket
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from contracts.base import Fact
from kernel.clock import Clock, SystemClock
from messaging.consumer import Consumer
from messaging.delivery import BatchHandler, Handler
from messaging.faults import ParkingGuard
from messaging.item import Sorter, retention_days, wanted_topics
from messaging.jobs import Job, JobLocks, Schedule, Work
from messaging.kafka import KafkaPublisher, KafkaReader
from messaging.outbox_source import PostgresOutbox
from messaging.ports import Reader, RebalanceListener
from messaging.processor import Processor
from messaging.relay import Relay
from messaging.settings import KafkaSettings
from messaging.streams import Streams
from messaging.sweeper import Sweeper
from messaging.wake import nudge, nudge_jobs
from storage import Database, Transaction
from storage.nudge import on_commit, on_outbox_commit
from storage.partitions import keep_partitions
from telemetry import get_logger

log = get_logger(__name__)

T = TypeVar("T", bound=Transaction)

STOP_TIMEOUT_S: Final = 15.0
PARTITIONS_EVERY_S: Final = 6 * 3600


class Part(Protocol):
    """Something that runs until it is told to stop."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


class Worker(Generic[T]):
    """A Background (`start`, `stop`, `unhealthy`), and `ready` as a readiness check.

    With a database: the relay, the consumer (group = `service`) when there are handlers, the sweeper, the
    jobs under an advisory lock. Without one: streams and unlocked jobs only. Neither Kafka nor Postgres need
    be there at the start. `relays` False: another process of the service publishes what this one appends.
    """

    def __init__(
        self,
        *,
        database: Database[T] | None,
        settings: KafkaSettings,
        service: str,
        handlers: Mapping[type[Fact], Handler],
        streams: Mapping[type[Fact], BatchHandler] | None = None,
        jobs: Mapping[Schedule, Work] | None = None,
        clock: Clock = SystemClock(),  # noqa: B008  # stateless
        relays: bool = True,
    ) -> None:
        assert database is not None or not handlers, "handlers need a database: the inbox lives there"
        self._database = database
        self._settings = settings
        self._service = service
        self._handlers = handlers
        self._clock = clock
        self._relays = relays
        self._retention_days = retention_days(list(handlers))
        self._locks = JobLocks(database.settings, service=service) if database is not None else None
        self._streams = streams or {}
        self._jobs = jobs or {}
        self._tasks: list[asyncio.Task[None]] = []
        self._parts: list[Part] = []
        self.relay: Relay | None = None
        self.consumer: Consumer | None = None
        self.sweeper: Sweeper | None = None
        self.stream: Streams | None = None

    async def start(self) -> None:
        """Start every part; returns at once."""
        self._make_parts()
        if self._database is not None:
            on_outbox_commit(nudge)
            on_commit(nudge_jobs)
        self._tasks = [asyncio.create_task(part.run(), name=type(part).__name__) for part in self._parts]

    async def stop(self) -> None:
        """Let each part end what it has at hand, then cancel what is left."""
        for part in self._parts:
            part.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_TIMEOUT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._locks is not None:
            await self._locks.close()

    def unhealthy(self) -> str | None:
        """Why this process should be restarted, or None."""
        ended = [task.get_name() for task in self._tasks if task.done()]
        if ended:
            return f"ended by itself: {', '.join(ended)}"
        for part in (self.relay, self.consumer):
            reason = part.unhealthy() if part is not None else None
            if reason is not None:
                return reason
        return None

    async def ready(self) -> None:
        """Raise while the worker cannot do its work: Kafka away, or acknowledging nothing."""
        reason = self.relay.slow() if self.relay is not None else None
        if reason is None and self.consumer is not None and not self.consumer.joined:
            reason = "consumer: not in its group yet"
        if reason is None and self.stream is not None and not self.stream.joined:
            reason = "streams: not in their group yet"
        if reason is not None:
            raise NotReady(reason)

    def _make_parts(self) -> None:
        parts: list[Part] = []
        if self._database is not None:
            if self._relays:
                self.relay = self._make_relay(self._database)
                parts.append(self.relay)
            parts.extend(self._make_consumer(self._database) if self._handlers else [])
        if self._streams:
            self.stream = Streams(
                settings=self._settings, service=self._service, streams=self._streams, clock=self._clock
            )
            parts.append(self.stream)
        for schedule, work in self._all_jobs().items():
            parts.append(Job(schedule, work, locks=self._locks))
        self._parts = parts

    def _make_relay(self, database: Database[T]) -> Relay:
        owner = f"{socket.gethostname()}:{os.getpid()}"
        source = PostgresOutbox(database.settings, service=self._service, owner=owner)
        return Relay(
            source=source,
            open_publisher=partial(KafkaPublisher.open, self._settings),
            settings=self._settings,
        )

    def _make_consumer(self, database: Database[T]) -> list[Part]:
        sorter = Sorter(self._handlers, retention_days=self._retention_days)
        common: dict[str, Any] = {
            "database": database,
            "sorter": sorter,
            "consumer": self._service,
            "settings": self._settings,
            "clock": self._clock,
        }
        self.sweeper = Sweeper(**common)
        self.consumer = Consumer(
            open_reader=self._open_reader,
            processor=Processor(**common, guard=ParkingGuard(monotonic=time.monotonic)),
            settings=self._settings,
            group=self._service,
            prepare=self._keep_partitions,
        )
        return [self.consumer, self.sweeper]

    async def _open_reader(self, listener: RebalanceListener) -> Reader:
        return await KafkaReader.open(
            self._settings, group=self._service, topics=wanted_topics(list(self._handlers)), listener=listener
        )

    def _all_jobs(self) -> dict[Schedule, Work]:
        jobs: dict[Schedule, Work] = dict(self._jobs)
        if self._handlers:
            jobs[Schedule("inbox_partitions", PARTITIONS_EVERY_S)] = self._keep_partitions
        return jobs

    async def _keep_partitions(self) -> None:
        assert self._database is not None, "an inbox lives in a database"
        async with self._database.transaction() as tx:
            await keep_partitions(
                tx.session, today=self._clock.now().date(), retention_days=self._retention_days
            )


class NotReady(RuntimeError):
    """The worker runs, but cannot do its work at the moment."""
