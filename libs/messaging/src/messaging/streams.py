"""Lossy topics: the newest records, in batches, without inbox or transaction; a failed batch is dropped."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import aiokafka

from contracts.base import Fact
from kernel.clock import Clock
from messaging.delivery import BatchHandler, Delivery
from messaging.envelope import delivery_of, event_type, fact_of
from messaging.item import wanted_topics
from messaging.kafka import as_record, connection_options, settled, started
from messaging.metrics import CONSUMED, STREAM_ERRORS
from messaging.ports import Record
from messaging.settings import KafkaSettings
from telemetry import get_logger

log = get_logger(__name__)

POLL_MS = 100
RECOVER_S = 1.0


class Streams:
    """Reads lossy topics in a group of their own, from the end on."""

    def __init__(
        self,
        *,
        settings: KafkaSettings,
        service: str,
        streams: Mapping[type[Fact], BatchHandler],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._group = f"{service}-streams"
        self._handlers = {fact.type_name(): handler for fact, handler in streams.items()}
        self._topics = [settings.kafka_topic_prefix + name for name in wanted_topics(list(streams))]
        self._clock = clock
        self._stopping = False
        self.joined = False

    async def run(self) -> None:
        """Until `stop`."""
        while not self._stopping:
            try:
                await self._read()
            except Exception as error:  # join again  # noqa: BLE001
                log.warning("stream_failed", error_type=type(error).__name__)
                await asyncio.sleep(RECOVER_S)

    def stop(self) -> None:
        self._stopping = True

    async def _read(self) -> None:
        consumer = aiokafka.AIOKafkaConsumer(
            *self._topics,
            group_id=self._settings.kafka_topic_prefix + self._group,
            auto_offset_reset="latest",
            enable_auto_commit=True,
            **connection_options(self._settings),
        )
        await started(consumer)
        try:
            while not self._stopping:
                batches = await consumer.getmany(
                    timeout_ms=POLL_MS, max_records=self._settings.consumer_max_records
                )
                self.joined = settled(consumer)
                await self._handle([raw for raws in batches.values() for raw in raws])
        finally:
            self.joined = False
            await consumer.stop()

    async def _handle(self, raws: Sequence[Any]) -> None:
        by_type: dict[str, list[tuple[Fact, Delivery]]] = {}
        for raw in raws:
            record = as_record(raw, prefix=self._settings.kafka_topic_prefix)
            pair = self._pair(record)
            if pair is not None:
                by_type.setdefault(pair[1].type, []).append(pair)
        for type_name, pairs in by_type.items():
            topic = pairs[0][1].topic
            CONSUMED.labels("kafka", topic, "poll", self._group).inc(len(pairs))
            try:
                await self._handlers[type_name](pairs)
            except Exception as error:  # lossy: the next batch is newer anyway  # noqa: BLE001
                STREAM_ERRORS.labels(topic=topic).inc()
                log.warning("stream_batch_failed", topic=topic, error_type=type(error).__name__)

    def _pair(self, record: Record) -> tuple[Fact, Delivery] | None:
        type_name = event_type(record)
        if type_name not in self._handlers or record.value is None:
            return None
        try:
            delivery = delivery_of(record, now=self._clock.now())
            return fact_of(record, type_name=delivery.type), delivery
        except ValueError:
            STREAM_ERRORS.labels(topic=record.topic).inc()
            return None
