"""The aiokafka adapter: the only module that imports the client library's producer and consumer."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import aiokafka
from aiokafka import errors

from messaging.envelope import legible
from messaging.metrics import COMMIT_ERRORS
from messaging.ports import Partition, RebalanceListener, Record, Verdict
from messaging.settings import KafkaSettings
from telemetry import get_logger

log = get_logger(__name__)

BATCH_BYTES: Final = 262_144
LINGER_MS: Final = 2
CLOSE_TIMEOUT_S: Final = 5.0
CONNECTING_S: Final = 2.0
REBALANCE_TIMEOUT_MS: Final = 30_000

_POISON: Final = (
    errors.MessageSizeTooLargeError,
    errors.RecordTooLargeError,
    errors.RecordListTooLargeError,
    errors.CorruptRecordException,
    errors.InvalidTimestampError,
    errors.PolicyViolationError,
    errors.UnsupportedForMessageFormatError,
    ValueError,
    TypeError,
)


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """Address, TLS and SASL for any aiokafka client; secrets are read from their files now."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": settings.kafka_security_protocol,
    }
    if "SSL" in settings.kafka_security_protocol:
        options["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ca_file)
    if settings.kafka_sasl_mechanism is not None:
        assert settings.kafka_username_file is not None, "SASL needs a user name's file"
        assert settings.kafka_password_file is not None, "SASL needs a password's file"
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_username_file.read_text(encoding="utf-8").strip()
        options["sasl_plain_password"] = settings.kafka_password_file.read_text(encoding="utf-8").strip()
    return options


class KafkaPublisher:
    """An idempotent producer. Make it with `open`."""

    def __init__(self, producer: Any, *, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix
        self._killed = False

    @classmethod
    async def open(cls, settings: KafkaSettings) -> "KafkaPublisher":
        """Connect; raises a KafkaError (an OSError-like condition) when no broker answers."""
        producer = aiokafka.AIOKafkaProducer(
            enable_idempotence=True,
            acks="all",
            max_batch_size=BATCH_BYTES,
            linger_ms=LINGER_MS,
            **connection_options(settings),
        )
        await started(producer)
        return cls(producer, prefix=settings.kafka_topic_prefix)

    async def send(
        self, topic: str, *, key: str, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[object]:
        future: asyncio.Future[object] = await self._producer.send(
            self._prefix + topic, value=value, key=key.encode(), headers=headers
        )
        return future

    def verdict(self, error: BaseException) -> Verdict:
        """A record's own fault, the producer's, or nobody's (messaging reference §4)."""
        if isinstance(error, _POISON):
            return Verdict.POISON
        if isinstance(error, errors.KafkaTimeoutError | errors.KafkaConnectionError):
            return Verdict.AWAY
        if isinstance(error, errors.UnknownTopicOrPartitionError):
            return Verdict.AWAY
        return Verdict.BROKEN

    async def close(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._producer.stop()
                return
        await self.kill()

    async def kill(self) -> None:
        if self._killed:
            return
        self._killed = True
        # The public stop() waits for a flush that never comes while the broker is away.
        producer = self._producer
        producer._closed = producer._message_accumulator._closed = True
        if producer._sender.sender_task is not None:
            producer._sender.sender_task.cancel()
        await producer.client.close()  # what is in flight fails now, so that the sender can end
        await producer._sender.close()
        producer._message_accumulator.fail_all(errors.ProducerClosed())
        await producer.client.close()  # a connection that was being opened meanwhile


class KafkaReader:
    """A consumer in a group, offsets committed by hand. Make it with `open`."""

    def __init__(self, consumer: Any, *, prefix: str) -> None:
        self._consumer = consumer
        self._prefix = prefix

    @classmethod
    async def open(
        cls, settings: KafkaSettings, *, group: str, topics: Iterable[str], listener: RebalanceListener
    ) -> "KafkaReader":
        """Join the group; raises a KafkaError when no broker answers."""
        prefix = settings.kafka_topic_prefix
        consumer = aiokafka.AIOKafkaConsumer(
            group_id=prefix + group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(settings.consumer_session_s * 1000),
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
            max_partition_fetch_bytes=1_048_576,
            **connection_options(settings),
        )
        consumer.subscribe([prefix + topic for topic in topics], listener=_Listener(listener, prefix=prefix))
        await started(consumer)
        return cls(consumer, prefix=prefix)

    async def poll(self, *, timeout_ms: int, max_records: int) -> Mapping[Partition, Sequence[Record]]:
        # Awaited directly, never through a task: aiokafka checks the assignment at the moment it returns.
        batches = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
        return {
            Partition(tp.topic.removeprefix(self._prefix), tp.partition): [
                as_record(raw, prefix=self._prefix) for raw in raws
            ]
            for tp, raws in batches.items()
        }

    def pause(self, partition: Partition) -> None:
        with suppress(errors.IllegalStateError):
            self._consumer.pause(self._native(partition))

    def resume(self, partition: Partition) -> None:
        with suppress(errors.IllegalStateError):
            self._consumer.resume(self._native(partition))

    async def commit(self, offsets: Mapping[Partition, int]) -> bool:
        assigned = self._consumer.assignment()
        wanted = {self._native(partition): offset for partition, offset in offsets.items()}
        mine = {tp: offset for tp, offset in wanted.items() if tp in assigned}
        if not mine:
            return True
        try:
            await self._consumer.commit(mine)
        except errors.KafkaError as error:
            COMMIT_ERRORS.labels(error_type=type(error).__name__).inc()
            log.warning("commit_offsets_failed", error_type=type(error).__name__)
            return False
        return True

    def settled(self) -> bool:
        return settled(self._consumer)

    def lag(self, partition: Partition) -> int | None:
        native = self._native(partition)
        try:
            end, state = self._consumer.highwater(native), self._consumer._subscription.subscription
        except errors.IllegalStateError:
            return None
        if end is None or state is None or state.assignment is None:
            return None
        position = state.assignment.state_value(native)
        return max(0, end - position._position) if position and position.has_valid_position else None

    async def close(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._consumer.stop()

    def _native(self, partition: Partition) -> Any:
        return aiokafka.TopicPartition(self._prefix + partition.topic, partition.partition)


class _Listener(aiokafka.ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, listener: RebalanceListener, *, prefix: str) -> None:
        self._listener = listener
        self._prefix = prefix

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        await self._listener.revoked(self._ours(revoked))

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        await self._listener.assigned(self._ours(assigned))

    def _ours(self, partitions: Iterable[Any]) -> frozenset[Partition]:
        return frozenset(Partition(tp.topic.removeprefix(self._prefix), tp.partition) for tp in partitions)


def as_record(raw: Any, *, prefix: str) -> Record:
    """aiokafka's record as ours, the prefix taken off."""
    key = raw.key.decode("utf-8", "replace") if raw.key else ""
    headers = {name: value.decode("utf-8", "replace") for name, value in raw.headers if value is not None}
    # Looked for at once: nothing of ours has one, and each text by itself would cost as much as reading it.
    if "\0" in "".join([key, *headers, *headers.values()]):
        key = legible(key)
        headers = {legible(name): legible(value) for name, value in headers.items()}
    return Record(raw.topic.removeprefix(prefix), raw.partition, raw.offset, key, raw.value, headers)


def settled(consumer: Any) -> bool:
    """Whether an aiokafka consumer has partitions and a position in each of them."""
    subscription = consumer._subscription.subscription
    assignment = subscription.assignment if subscription is not None else None
    if assignment is None or not assignment.tps:
        return False
    return all(assignment.state_value(tp).has_valid_position for tp in assignment.tps)


async def started(client: Any) -> None:
    """Start, and leave nothing open when that fails."""
    _close_carefully(client.client if hasattr(client, "client") else client._client)
    start = asyncio.ensure_future(client.start())
    try:
        # A start that is cancelled half-way would leave its first connection open.
        await asyncio.shield(start)
    except BaseException:
        await asyncio.wait([start], timeout=CONNECTING_S)
        start.cancel()
        await asyncio.gather(start, return_exceptions=True)
        await client.stop()
        raise


def _close_carefully(network: Any) -> None:
    """Have the client's network layer let a connection that is being opened end before it closes.

    aiokafka cancels its metadata task wherever it is and would leave such a connection open for ever.
    """
    close = network.close

    async def close_after_connecting() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECTING_S), network._get_conn_lock:
                await close()
                return
        await close()

    network.close = close_after_connecting
