"""The inbox: which events were processed, written in the transaction of their effect."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from messaging.item import Item
from storage import driver_of

EventKey = tuple[str, UUID]

# ON CONFLICT and never a caught violation, which would abort the transaction; a concurrent delivery of the
# same event waits here for the first one's end.
# Mostly all are new, and then their number says it. Ids and numbers come as one text each: the driver looks at each
# element of an array, and sources are the only ones that might hold the separator.
_ADMIT = """
WITH admitted AS (
  INSERT INTO inbox (consumer, source, event_id, event_day, payload_sha256, topic, partition, "offset")
  SELECT $1, e.source, e.id, e.day, decode(e.digest, 'hex'), $5, $6, e.at
  FROM unnest($2::text[], string_to_array($3, ',')::uuid[], string_to_array($4, ',')::date[],
              string_to_array($7, ','), string_to_array($8, ',')::bigint[]) AS e(source, id, day, digest, at)
  ON CONFLICT DO NOTHING
  RETURNING source, event_id)
SELECT CASE WHEN count(*) < $9 THEN array_agg(source) END AS sources,
       CASE WHEN count(*) < $9 THEN array_agg(event_id) END AS ids, count(*) AS admitted
FROM admitted
"""

_KNOWN = """
SELECT i.source, i.event_id, i.payload_sha256
FROM unnest($2::text[], string_to_array($3, ',')::uuid[], string_to_array($4, ',')::date[]) AS e(source, id, day)
JOIN inbox i ON i.consumer = $1 AND i.source = e.source AND i.event_id = e.id AND i.event_day = e.day
"""


@dataclass(slots=True)
class Admission:
    """`fresh` items are to be processed; `conflicting` ones reuse an id with another payload.

    `duplicates` were processed before. They are counted by the caller, once its transaction stands.
    """

    fresh: list[Item] = field(default_factory=list)
    conflicting: list[Item] = field(default_factory=list)
    duplicates: int = 0


async def admit(session: AsyncSession, items: Sequence[Item], *, consumer: str) -> Admission:
    """Write the items of one partition to the inbox; those already there are duplicates, or conflict."""
    driver = await driver_of(session)
    named = _named(items, consumer=consumer)
    answer = await driver.fetchrow(_ADMIT, *named, *_placed(items))
    assert answer is not None, "an aggregate always has a row"
    if answer["admitted"] == len(items):
        return Admission(fresh=list(items))
    inserted = set(zip(answer["sources"] or (), answer["ids"] or (), strict=True))
    admission = Admission()
    repeated: list[Item] = []
    for item in items:
        name = (item.delivery.source, item.delivery.id)
        if name in inserted:
            inserted.discard(name)  # the same id again in this batch is a repeat
            admission.fresh.append(item)
        else:
            repeated.append(item)
    if repeated:
        await _compare(driver, repeated, named=named, admission=admission)
    return admission


async def _compare(
    driver: asyncpg.Connection, repeated: Sequence[Item], *, named: Sequence[Any], admission: Admission
) -> None:
    rows = await driver.fetch(_KNOWN, *named)
    known = {(source, event_id): bytes(digest) for source, event_id, digest in rows}
    for item in repeated:
        if known[(item.delivery.source, item.delivery.id)] == item.sha256:
            admission.duplicates += 1
        else:
            admission.conflicting.append(item)


def _named(items: Sequence[Item], *, consumer: str) -> tuple[Any, ...]:
    """$1 to $4 of both statements."""
    return (
        consumer,
        [item.delivery.source for item in items],
        ",".join([item.delivery.id.hex for item in items]),
        ",".join([item.event_day.isoformat() for item in items]),
    )


def _placed(items: Sequence[Item]) -> tuple[Any, ...]:
    first = items[0].delivery
    return (
        first.topic,
        first.partition,
        ",".join([item.sha256.hex() for item in items]),
        ",".join([str(item.delivery.offset) for item in items]),
        len(items),
    )
