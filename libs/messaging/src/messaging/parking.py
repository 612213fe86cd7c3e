"""Parked events: a key whose head failed waits in Postgres, in order, while its partition goes on."""

import json
import traceback
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from messaging.item import Item
from storage import driver_of
from telemetry import mask_text

NEVER: Final = "infinity"
TEXT_LIMIT: Final = 2000
_HERE: Final = str(Path(__file__).parent)

_OPEN_KEYS: Final = """
SELECT DISTINCT key FROM parked_event
WHERE consumer = $1 AND topic = $2 AND state IN ('head', 'held') AND key = ANY($3::text[])
"""

_PARK = text("""
INSERT INTO parked_event (consumer, key, source, event_id, event_type, payload_sha256, topic, partition,
                          "offset", headers, payload, error_class, error, fingerprint, attempts,
                          next_attempt_at, state)
VALUES (:consumer, :key, :source, :event_id, :event_type, :digest, :topic, :partition, :offset,
        CAST(:headers AS jsonb), :payload, :error_class, :error, :fingerprint, :attempts,
        CAST(CAST(:next_attempt_at AS text) AS timestamptz), :state)
ON CONFLICT DO NOTHING
""")


class PayloadConflict(ValueError):
    """An event id that was processed before came again with another payload."""


async def open_keys(session: AsyncSession, items: Iterable[Item], *, consumer: str, topic: str) -> set[str]:
    """Those keys of `items` that have parked events: what comes for them is held."""
    keys = list({item.delivery.key for item in items})
    rows = await (await driver_of(session)).fetch(_OPEN_KEYS, consumer, topic, keys)
    return {key for (key,) in rows}


async def park_head(
    session: AsyncSession, item: Item, *, consumer: str, error: Exception, retry_at: datetime | None
) -> None:
    """Park the event that failed; `retry_at` None: only a person's replay tries it again."""
    await session.execute(
        _PARK,
        {
            **_columns(item, consumer=consumer),
            **error_columns(error),
            "attempts": 1,
            "next_attempt_at": retry_at.isoformat() if retry_at else NEVER,
            "state": "head",
        },
    )


async def hold(session: AsyncSession, items: Iterable[Item], *, consumer: str) -> None:
    """Park events behind their key's head, in order."""
    rows = [
        {
            **_columns(item, consumer=consumer),
            "error_class": None,
            "error": None,
            "fingerprint": None,
            "attempts": 0,
            "next_attempt_at": None,
            "state": "held",
        }
        for item in items
    ]
    if rows:
        await session.execute(_PARK, rows)


def error_columns(error: Exception) -> dict[str, str]:
    """What is kept of an error: its class, masked text, and a fingerprint that groups alike failures."""
    name = type(error).__name__
    return {
        "error_class": name,
        "error": mask_text(str(error))[:TEXT_LIMIT],
        "fingerprint": f"{name} at {_origin(error)}",
    }


def backoff(attempts: int, *, first_s: float, longest_s: float) -> timedelta:
    """How long a parked head rests after its n-th failure."""
    return timedelta(seconds=min(longest_s, first_s * 2 ** min(attempts - 1, 20)))


def _origin(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if "site-packages" not in frame.filename and not frame.filename.startswith(_HERE):
            return f"{frame.filename.rpartition('/')[2]}:{frame.name}"
    return "nowhere"


def _columns(item: Item, *, consumer: str) -> dict[str, object]:
    delivery = item.delivery
    return {
        "consumer": consumer,
        "key": delivery.key,
        "source": delivery.source,
        "event_id": delivery.id,
        "event_type": delivery.type,
        "digest": item.sha256,
        "topic": delivery.topic,
        "partition": delivery.partition,
        "offset": delivery.offset,
        "headers": json.dumps(dict(item.record.headers)),
        "payload": item.record.value,
    }
