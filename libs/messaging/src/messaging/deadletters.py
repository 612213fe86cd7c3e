"""The dead letters: parked events and quarantined outbox rows. There is no dead-letter topic.

A letter is named `parked:<seq>` or `outbox:<id>`. Every view is masked. A replay happens in place, by the
consumer that failed (its sweeper) or by the relay, never through the shared topic.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Row, text

from kernel.refusals import NotFound, Refusal
from storage import Database
from telemetry import get_logger, mask

log = get_logger(__name__)

Kind = Literal["parked", "outbox"]
LIMIT: Final = 100


class NotAHead(Refusal):
    """Only the first open event of a key can be replayed or discarded: the others wait behind it."""

    code = "not_a_head"
    pt = "Só o primeiro evento parado de uma chave pode ser repetido ou descartado."
    en = "Only the first parked event of a key can be replayed or discarded."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One dead letter, masked. `headers` and `payload` are filled by `show` only."""

    name: str
    state: str
    topic: str
    key: str
    event_id: str
    event_type: str
    consumer: str | None
    error_class: str | None
    error: str | None
    fingerprint: str | None
    attempts: int
    since: datetime
    headers: Any = None
    payload: Any = None


async def list_(
    database: Database[Any],
    *,
    event_type: str | None = None,
    fingerprint: str | None = None,
    limit: int = LIMIT,
) -> list[DeadLetter]:
    """The open dead letters of one service's database, oldest first, with filters."""
    names = {"event_type": event_type, "fingerprint": fingerprint, "limit": limit}
    async with database.reading() as tx:
        rows = (await tx.session.execute(_LIST, names)).all()
    return [_view(row) for row in rows]


async def show(database: Database[Any], name: str) -> DeadLetter:
    """One letter with its masked headers and payload; NotFound."""
    kind, number = _parse(name)
    async with database.reading() as tx:
        row = (await tx.session.execute(_SHOW[kind], {"number": number})).one_or_none()
    if row is None:
        raise NotFound(name)
    return _view(row, whole=True)


async def replay(database: Database[Any], name: str, *, actor: str) -> None:
    """Have the head `name` tried again now, and what is held behind it follow; NotFound, NotAHead."""
    await _settle(database, name, statements=_REPLAY)
    log.warning("replay_dead_letter", letter=name, actor=actor)


async def discard(database: Database[Any], name: str, *, actor: str, reason: str) -> None:
    """Give the head `name` up for good; what is held behind it follows; NotFound, NotAHead."""
    await _settle(database, name, statements=_DISCARD)
    log.warning("discard_dead_letter", letter=name, actor=actor, reason=reason)


async def _settle(database: Database[Any], name: str, *, statements: dict[Kind, Any]) -> None:
    kind, number = _parse(name)
    async with database.transaction() as tx:
        state = (await tx.session.execute(_STATE[kind], {"number": number})).scalar_one_or_none()
        if state is None or state in ("released", "discarded"):
            raise NotFound(name)
        if state != "head":
            raise NotAHead(name)
        await tx.session.execute(statements[kind], {"number": number, "now": tx.now()})


def _parse(name: str) -> tuple[Kind, int]:
    kind, _, number = name.partition(":")
    if kind == "parked" and number.isdigit():
        return "parked", int(number)
    if kind == "outbox" and number.isdigit():
        return "outbox", int(number)
    raise NotFound(name)


def _view(row: Row[Any], *, whole: bool = False) -> DeadLetter:
    return DeadLetter(
        name=row.name,
        state=row.state,
        topic=row.topic,
        key=row.key,
        event_id=str(row.event_id),
        event_type=row.event_type,
        consumer=row.consumer,
        error_class=row.error_class,
        error=mask(row.error),
        fingerprint=row.fingerprint,
        attempts=row.attempts,
        since=row.since,
        headers=mask(row.headers) if whole else None,
        payload=mask(_decoded(row.payload)) if whole else None,
    )


def _decoded(payload: bytes | None) -> Any:
    if payload is None:
        return None
    try:
        return json.loads(payload)
    except ValueError:
        return f"<{len(payload)} bytes that are not JSON>"


_PARKED = """
SELECT 'parked:' || seq AS name, state, topic, key, event_id, event_type, consumer, error_class, error,
       fingerprint, attempts, parked_at AS since, headers, payload
FROM parked_event"""

_OUTBOX = """
SELECT 'outbox:' || id AS name, state, topic, key, event_id, event_type, NULL AS consumer, error_class, error,
       error_class AS fingerprint, 0 AS attempts, quarantined_at AS since, headers, payload
FROM outbox_quarantine"""

_LIST = text(
    f"""
SELECT * FROM ({_PARKED} UNION ALL {_OUTBOX}) letters
WHERE state IN ('head', 'held')
  AND (CAST(:event_type AS text) IS NULL OR event_type = :event_type)
  AND (CAST(:fingerprint AS text) IS NULL OR fingerprint = :fingerprint)
ORDER BY since, name LIMIT :limit"""  # noqa: S608  # constants of this module only
)

_SHOW: dict[Kind, Any] = {
    "parked": text(f"{_PARKED} WHERE seq = :number"),
    "outbox": text(f"{_OUTBOX} WHERE id = :number"),
}

_STATE: dict[Kind, Any] = {
    "parked": text("SELECT state FROM parked_event WHERE seq = :number FOR UPDATE"),
    "outbox": text("SELECT state FROM outbox_quarantine WHERE id = :number FOR UPDATE"),
}

# The sweeper does the work within seconds; the relay takes released rows back into the outbox.
_REPLAY: dict[Kind, Any] = {
    "parked": text("UPDATE parked_event SET next_attempt_at = :now WHERE seq = :number"),
    "outbox": text(
        "UPDATE outbox_quarantine SET state = 'released'"
        " WHERE id = :number AND CAST(:now AS timestamptz) IS NOT NULL"
    ),
}

_DISCARD: dict[Kind, Any] = {
    "parked": text("UPDATE parked_event SET state = 'discarded', settled_at = :now WHERE seq = :number"),
    "outbox": text("UPDATE outbox_quarantine SET state = 'discarded', settled_at = :now WHERE id = :number"),
}
