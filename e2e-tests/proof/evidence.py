"""Collects what each witness says, once everything that is under way has ended."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import TOPICS
from simulator.stack import Stack

Rows = list[asyncpg.Record]

WAITING_SQL = """
SELECT (SELECT count(*) FROM outbox) AS pending,
       (SELECT count(*) FROM outbox_quarantine WHERE state IN ('head', 'held')) AS quarantined,
       (SELECT count(*) FROM parked_event WHERE state IN ('head', 'held')) AS parked
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Messages that have not reached their end: in outboxes, in Kafka before a group, or put aside."""

    outbox: int
    lag: int
    quarantined: int
    parked: int

    @property
    def total(self) -> int:
        return self.outbox + self.lag + self.quarantined + self.parked


async def query(stack: Stack, service: str, sql: str, *args: Any) -> Rows:
    """Rows of a service's database, read as the superuser."""
    connection = await asyncpg.connect(stack.database(service))
    try:
        return list(await connection.fetch(sql, *args))
    finally:
        await connection.close()


async def waiting(stack: Stack) -> Waiting:
    counts = [(await query(stack, service, WAITING_SQL))[0] for service in stack.postgres]
    return Waiting(
        outbox=sum(row["pending"] for row in counts),
        lag=await lag(stack),
        quarantined=sum(row["quarantined"] for row in counts),
        parked=sum(row["parked"] for row in counts),
    )


async def lag(stack: Stack) -> int:
    """Records that a service's group has not committed yet, over every topic that must not lose any."""
    durable = {topic.name for topic in TOPICS if not topic.lossy}
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    try:
        committed = [
            (partition, offset.offset)
            for service in stack.postgres
            for partition, offset in (await admin.list_consumer_group_offsets(service)).items()
            if partition.topic in durable
        ]
    finally:
        await admin.close()
    ends = await end_offsets(stack, [partition for partition, _ in committed])
    return sum(max(ends[partition] - max(offset, 0), 0) for partition, offset in committed)


async def end_offsets(stack: Stack, partitions: list[TopicPartition]) -> Mapping[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka)
    await consumer.start()
    try:
        ends: Mapping[TopicPartition, int] = await consumer.end_offsets(set(partitions))
        return ends
    finally:
        await consumer.stop()


async def settled(stack: Stack, *, timeout_s: float) -> Waiting:
    """Wait until nothing is under way, twice in a row; whatever is left after `timeout_s` is the finding."""
    calm = 0
    async with asyncio.timeout(timeout_s + 30):
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            left = await waiting(stack)
            calm = calm + 1 if left.total == 0 else 0
            if calm >= 2 or asyncio.get_running_loop().time() > deadline:
                return left
            await asyncio.sleep(0.3)


async def bank_state(stack: Stack) -> dict[str, Any]:
    """What the bank knows."""

    def read() -> dict[str, Any]:
        with urlopen(f"{stack.efi['control']}/_control/state", timeout=10) as response:
            state: dict[str, Any] = json.load(response)
            return state

    return await asyncio.to_thread(read)
