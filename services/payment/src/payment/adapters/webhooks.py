"""Stored notifications in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import webhook_deliveries, webhook_events
from payment.domain.webhook import Delivery, EventType, Outcome, WebhookEvent

_W = webhook_events.c
_D = webhook_deliveries.c
_COLUMNS = (
    _W.id, _W.event_type, _W.payload, _W.payload_hash, _W.received_at, _W.txid, _W.e2e_id, _W.reference,
    _W.status, _W.amount, _W.attempts, _W.delivery_id,
)  # fmt: skip
_KEEP = insert(webhook_deliveries)
_ADD = insert(webhook_events)


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
        await self._session.execute(_KEEP, row)

    async def add(self, events: Sequence[WebhookEvent]) -> None:
        rows = [
            {column.name: getattr(event, column.name) for column in _COLUMNS}
            | {"provider": "efi", "processed": False, "next_attempt_at": event.received_at}
            for event in events
        ]
        # Nearly every webhook tells one event, and one row needs no round trip of its own to be prepared.
        await self._session.execute(_ADD, rows if len(rows) > 1 else rows[0])

    async def claim(self, *, now: datetime, until: datetime, limit: int) -> Sequence[WebhookEvent]:
        due = (
            select(_W.id)
            .where(_W.processed.is_(False), _W.next_attempt_at <= now)
            .order_by(_W.received_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = await self._session.execute(
            update(webhook_events)
            .where(_W.id.in_(due.scalar_subquery()))
            .values(next_attempt_at=until, attempts=_W.attempts + 1)
            .returning(*_COLUMNS)
        )
        return [
            WebhookEvent(**{**row, "event_type": EventType(row["event_type"])}) for row in claimed.mappings()
        ]

    async def finish(self, event_ids: Sequence[UUID], *, outcome: Outcome, now: datetime) -> None:
        await self._session.execute(
            update(webhook_events)
            .where(_W.id.in_(event_ids))
            .values(processed=True, processed_at=now, outcome=outcome)
        )

    async def postpone(self, event_ids: Sequence[UUID], *, until: datetime) -> None:
        await self._session.execute(
            update(webhook_events).where(_W.id.in_(event_ids)).values(next_attempt_at=until)
        )

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
