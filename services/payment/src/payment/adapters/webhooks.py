"""Stored notifications in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, any_, bindparam, exists, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import webhook_deliveries, webhook_events
from payment.domain.webhook import Delivery, EventType, Outcome, WebhookEvent
from storage import Prepared

_W = webhook_events.c
_D = webhook_deliveries.c
_COLUMNS = (
    _W.id, _W.event_type, _W.payload, _W.payload_hash, _W.received_at, _W.txid, _W.e2e_id, _W.reference,
    _W.status, _W.amount, _W.attempts, _W.delivery_id,
)  # fmt: skip
_KEEP: Final = Prepared(
    insert(webhook_deliveries),
    columns=("id", "sealed_body", "body_sha256", "redacted", "received_at", "shred_at"),
)
_ADD: Final = Prepared(
    insert(webhook_events).values(provider="efi", processed=False),
    columns=("next_attempt_at", *(column.name for column in _COLUMNS)),
)
_THESE: Final = _W.id == any_(bindparam("these", type_=ARRAY(PG_UUID)))
_AT: Final = bindparam("at", type_=_W.received_at.type)
_FINISH: Final = Prepared(
    update(webhook_events)
    .where(_THESE)
    .values(processed=True, processed_at=_AT, outcome=bindparam("told", type_=_W.outcome.type))
)
_POSTPONE: Final = Prepared(update(webhook_events).where(_THESE).values(next_attempt_at=_AT))
_CLAIM: Final = Prepared(
    update(webhook_events)
    .where(
        _W.id.in_(
            select(_W.id)
            .where(_W.processed.is_(False), _W.next_attempt_at <= _AT)
            .order_by(_W.received_at)
            .limit(bindparam("limit", type_=Integer))
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
    )
    .values(next_attempt_at=bindparam("until", type_=_W.received_at.type), attempts=_W.attempts + 1)
    .returning(*_COLUMNS)
)


class SqlWebhookEvents:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def keep(self, delivery: Delivery) -> None:
        row = {
            "id": delivery.id,
            "sealed_body": delivery.sealed,
            "body_sha256": delivery.sha256,
            "redacted": delivery.redacted,
            "received_at": delivery.received_at,
            "shred_at": delivery.shred_at,
        }
        await _KEEP.execute(self._session, row)

    async def add(self, events: Sequence[WebhookEvent]) -> None:
        rows = [
            {column.name: getattr(event, column.name) for column in _COLUMNS}
            | {"next_attempt_at": event.received_at}
            for event in events
        ]
        await _ADD.execute_many(self._session, rows)

    async def claim(self, *, now: datetime, until: datetime, limit: int) -> Sequence[WebhookEvent]:
        claimed = await _CLAIM.fetch(self._session, {"at": now, "until": until, "limit": limit})
        return [_event(row) for row in claimed]

    async def finish(self, event_ids: Sequence[UUID], *, outcome: Outcome, now: datetime) -> None:
        await _FINISH.execute(self._session, {"these": list(event_ids), "at": now, "told": outcome})

    async def postpone(self, event_ids: Sequence[UUID], *, until: datetime) -> None:
        await _POSTPONE.execute(self._session, {"these": list(event_ids), "at": until})

    async def seen(self, e2e_id: str) -> bool:
        found = await self._session.execute(select(exists().where(_W.e2e_id == e2e_id)))
        return bool(found.scalar_one())

    async def shred(self, *, now: datetime, limit: int) -> int:
        due = (
            select(_D.id)
            .where(_D.shredded_at.is_(None), _D.shred_at <= now)
            .order_by(_D.shred_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        shredded = await self._session.execute(
            update(webhook_deliveries)
            .where(_D.id.in_(due.scalar_subquery()))
            .values(sealed_body=None, shredded_at=now)
            .returning(_D.id)
        )
        return len(shredded.all())


def _event(row: Any) -> WebhookEvent:
    return WebhookEvent(**dict(row) | {"event_type": EventType(row["event_type"])})
