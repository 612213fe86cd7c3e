"""Producing lossy facts directly: fire and forget, dropped and counted when Kafka is away."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import aiokafka

from contracts.base import Fact
from contracts.registry import PUBLISHERS
from kernel.clock import Clock, SystemClock
from kernel.ids import new_id
from messaging.kafka import CLOSE_TIMEOUT_S, connection_options, started
from messaging.metrics import LOSSY_DROPPED
from messaging.settings import KafkaSettings
from storage.outbox_row import Envelope, fact_headers
from telemetry import get_logger

log = get_logger(__name__)

QUEUE_LIMIT: Final = 10_000
LINGER_MS: Final = 5
RECOVER_S: Final = 1.0
Queued = tuple[str, bytes, bytes, list[tuple[str, bytes]]]


class LossyProducer:
    """A Background. `send` never waits and never raises for Kafka's sake."""

    def __init__(self, settings: KafkaSettings, *, clock: Clock = SystemClock()) -> None:  # noqa: B008
        self._settings = settings
        self._clock = clock
        self._queue: asyncio.Queue[Queued] = asyncio.Queue(maxsize=QUEUE_LIMIT)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to connect; does not wait for Kafka."""
        self._task = asyncio.create_task(self._run(), name="lossy producer")

    async def stop(self) -> None:
        """Drop what still waits."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def unhealthy(self) -> str | None:
        """A reason when the sending task ended by itself."""
        return "lossy producer: ended" if self._task is not None and self._task.done() else None

    def send(self, fact: Fact) -> None:
        """Queue `fact`; dropped and counted when the queue is full."""
        assert fact.topic.lossy, f"{fact.topic.name} is not lossy: publish it through the outbox"
        event_id = new_id()
        envelope = Envelope(
            event_id=event_id,
            service=_publisher(type(fact)),
            time=self._clock.now(),
            correlation_id=event_id,
            causation_id=None,
        )
        headers = fact_headers(fact, version=0, envelope=envelope)
        wire = [(name, value.encode()) for name, value in headers.items()]
        try:
            self._queue.put_nowait(
                (fact.topic.name, fact.key().encode(), fact.model_dump_json().encode(), wire)
            )
        except asyncio.QueueFull:
            LOSSY_DROPPED.labels(topic=fact.topic.name).inc()

    async def _run(self) -> None:
        while True:
            try:
                await self._produce()
            except Exception as error:  # connect again  # noqa: BLE001
                log.warning("lossy_producer_failed", error_type=type(error).__name__)
            await asyncio.sleep(RECOVER_S)

    async def _produce(self) -> None:
        producer = aiokafka.AIOKafkaProducer(
            acks=1, linger_ms=LINGER_MS, **connection_options(self._settings)
        )
        await started(producer)
        try:
            while True:
                topic, key, value, headers = await self._queue.get()
                name = self._settings.kafka_topic_prefix + topic
                future = await producer.send(name, value=value, key=key, headers=headers)
                future.add_done_callback(lambda done, topic=topic: _count(done, topic=topic))
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await producer.stop()


def _count(future: "asyncio.Future[Any]", *, topic: str) -> None:
    if future.cancelled() or future.exception() is not None:
        LOSSY_DROPPED.labels(topic=topic).inc()


def _publisher(fact: type[Fact]) -> str:
    return next(name for name, facts in PUBLISHERS.items() if fact in facts)
