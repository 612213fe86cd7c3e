"""The inbox: which events were processed, written in the transaction of their effect."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from messaging.item import Item

EventKey = tuple[str, UUID]

# ON CONFLICT and never a caught violation, which would abort the transaction; a concurrent delivery of the
# same event waits here for the first one's end.
# Mostly all are new, and then their number says it. Ids and numbers come as one text each: the driver looks at each
# element of an array, and sources are the only ones that might hold the separator.
_ADMIT = text("""
WITH admitted AS (
  INSERT INTO inbox (consumer, source, event_id, event_day, payload_sha256, topic, partition, "offset")
  SELECT :consumer, e.source, e.id, e.day, decode(e.digest, 'hex'), :topic, :partition, e.at
  FROM unnest(CAST(:sources AS text[]), CAST(string_to_array(:ids, ',') AS uuid[]),
              CAST(string_to_array(:days, ',') AS date[]), string_to_array(:digests, ','),
              CAST(string_to_array(:offsets, ',') AS bigint[])) AS e(source, id, day, digest, at)
  ON CONFLICT DO NOTHING
  RETURNING source, event_id)
SELECT CASE WHEN count(*) < :wanted THEN array_agg(source) END AS sources,
       CASE WHEN count(*) < :wanted THEN array_agg(event_id) END AS ids, count(*) AS admitted
FROM admitted
""")

_KNOWN = text("""
SELECT i.source, i.event_id, i.payload_sha256
FROM unnest(CAST(:sources AS text[]), CAST(string_to_array(:ids, ',') AS uuid[]),
            CAST(string_to_array(:days, ',') AS date[])) AS e(source, id, day)
JOIN inbox i ON i.consumer = :consumer AND i.source = e.source AND i.event_id = e.id AND i.event_day = e.day
""")


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
    parameters = _parameters(items, consumer=consumer)
    answer = (await session.execute(_ADMIT, parameters)).one()
    if answer.admitted == len(items):
        return Admission(fresh=list(items))
    inserted = set(zip(answer.sources or (), answer.ids or (), strict=True))
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
        await _compare(session, repeated, parameters=parameters, admission=admission)
    return admission


async def _compare(
    session: AsyncSession, repeated: Sequence[Item], *, parameters: dict[str, Any], admission: Admission
) -> None:
    rows = await session.execute(_KNOWN, parameters)
    known = {(row.source, row.event_id): bytes(row.payload_sha256) for row in rows}
    for item in repeated:
        if known[(item.delivery.source, item.delivery.id)] == item.sha256:
            admission.duplicates += 1
        else:
            admission.conflicting.append(item)


def _parameters(items: Sequence[Item], *, consumer: str) -> dict[str, Any]:
    first = items[0].delivery
    return {
        "consumer": consumer,
        "topic": first.topic,
        "partition": first.partition,
        "sources": [item.delivery.source for item in items],
        "ids": ",".join([item.delivery.id.hex for item in items]),
        "days": ",".join([item.event_day.isoformat() for item in items]),
        "digests": ",".join([item.sha256.hex() for item in items]),
        "offsets": ",".join([str(item.delivery.offset) for item in items]),
        "wanted": len(items),
    }
