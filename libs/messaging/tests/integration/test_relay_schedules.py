"""Random schedules against the relay: nothing lost, nothing invented, every key in order.

Writers take their xid early, hold locks long, touch several keys, insert long before they commit, roll back;
meanwhile the relay is restarted. (The schedules are those of the messaging reference, §3.)
"""

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from messaging_samples import Rig, metric, read_topic, recorded
from sqlalchemy import text

from storage import Transaction
from testkit import eventually

KEYS = 12
WRITERS = 8
TURNS = 60


class Changed(Exception):
    """A writer changes its mind."""


@dataclass
class Truth:
    """What committed: event ids, and each key's highest version."""

    committed: set[str] = field(default_factory=set)
    versions: dict[str, int] = field(default_factory=dict)


async def write(tx: Transaction, rng: random.Random, *, long: bool) -> tuple[list[str], dict[str, int]]:
    """One schedule's transaction; returns what it published."""
    if rng.random() < 0.4:
        await tx.session.execute(text("SELECT pg_current_xact_id()"))
        await asyncio.sleep(rng.uniform(0, 0.01))
    published, versions = [], {}
    for key in sorted(rng.sample([f"k{n}" for n in range(KEYS)], rng.choice([1, 1, 2, 3]))):
        row = await tx.session.execute(
            text("UPDATE aggregate SET version = version + 1 WHERE key = :key RETURNING version"),
            {"key": key},
        )
        versions[key] = row.scalar_one()
        published.append(str(await tx.publish(recorded(key), version=versions[key])))
        if rng.random() < 0.5:
            await tx.flush()
            await asyncio.sleep(rng.uniform(0, 0.005))
    await tx.flush()
    await asyncio.sleep(rng.uniform(0.3, 0.8) if long else rng.uniform(0, 0.005))
    if rng.random() < 0.15:
        raise Changed
    return published, versions


async def writer(rig: Rig, rng: random.Random, truth: Truth, *, long: bool) -> None:
    for _ in range(3 if long else TURNS):
        try:
            async with rig.database.transaction() as tx:
                published, versions = await write(tx, rng, long=long)
        except Changed:
            continue
        truth.committed.update(published)
        for key, version in versions.items():
            truth.versions[key] = max(version, truth.versions.get(key, 0))


async def relay_with_restarts(rig: Rig, rng: random.Random, done: asyncio.Event) -> None:
    while not done.is_set():
        async with rig.working(relay_batch=rng.choice([3, 20, 1000])):
            try:
                async with asyncio.timeout(rng.uniform(0.3, 1.0)):
                    await done.wait()
            except TimeoutError:
                continue


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_no_event_is_lost_invented_or_out_of_order(rig: Rig, seed: int) -> None:
    rng, truth, done = random.Random(seed), Truth(), asyncio.Event()
    violations = metric("outbox_floor_violations_total")
    async with rig.database.transaction() as tx:
        names = [{"key": f"k{n}"} for n in range(KEYS)]
        await tx.session.execute(text("INSERT INTO aggregate VALUES (:key, 0)"), names)
    relay = asyncio.create_task(relay_with_restarts(rig, random.Random(seed), done))
    seeds = [rng.random() for _ in range(WRITERS)]
    await asyncio.gather(*(writer(rig, random.Random(s), truth, long=n == 0) for n, s in enumerate(seeds)))
    await eventually(rig.outbox_is_empty, 20)
    done.set()
    await relay

    seen: set[str] = set()
    last: dict[str, int] = defaultdict(int)
    for record in await read_topic(rig.settings):
        headers = {name: value.decode() for name, value in record.headers}
        if headers["ce_id"] in seen:
            continue  # a restart may repeat; the first occurrence counts
        seen.add(headers["ce_id"])
        version = int(headers["ce_sequence"])
        assert version == last[record.key.decode()] + 1, "an aggregate's events came out of order"
        last[record.key.decode()] = version
    assert seen == truth.committed
    assert dict(last) == truth.versions
    assert len(truth.committed) > 300
    assert metric("outbox_floor_violations_total") == violations
