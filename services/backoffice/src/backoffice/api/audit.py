"""The audit log, for admins."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query

import web
from backoffice.api.deps import DepsDep
from backoffice.domain.record import Filter, Record
from backoffice.usecases.list_records import list_records
from web import AdminOnly, Cursor, Limit, View

router = APIRouter(tags=["admin"])


class ChangesView(View):
    """Masked values before and after; either may be null."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None


class RecordView(View):
    id: UUID
    action: str
    entity_type: str
    entity_id: str
    user_id: UUID | None
    user_type: str
    changes: ChangesView
    reason: str | None
    ip_address: str | None
    user_agent: str | None
    request_id: str | None
    occurred_at: datetime

    @classmethod
    def of(cls, record: Record) -> Self:
        return cls(
            id=record.id,
            action=record.action,
            entity_type=record.entity_type,
            entity_id=record.entity_id,
            user_id=record.user_id,
            user_type=record.user_type,
            changes=ChangesView(
                before=dict(record.before) if record.before is not None else None,
                after=dict(record.after) if record.after is not None else None,
            ),
            reason=record.reason,
            ip_address=record.ip_address,
            user_agent=record.user_agent,
            request_id=record.request_id,
            occurred_at=record.occurred_at,
        )


Text = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")]


@router.get("/audit/logs", operation_id="list_records", response_model=web.Page[RecordView])
async def get_audit_logs(
    principal: AdminOnly,
    deps: DepsDep,
    limit: Limit,
    cursor: Cursor,
    entity_type: Text = None,
    entity_id: Text = None,
    user_id: UUID | None = None,
    action: Text = None,
    start: Annotated[web.UtcTime | None, Query(alias="from")] = None,
    end: Annotated[web.UtcTime | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """Newest first; `from` is included, `to` is not."""
    filter_ = Filter(
        entity_type=entity_type, entity_id=entity_id, user_id=user_id, action=action, start=start, end=end
    )
    position = web.decode_cursor(cursor, types=(int,))
    async with deps.reading() as tx:
        records = await list_records(
            tx, filter_=filter_, before_sequence=position[0] if position else None, limit=limit
        )
    return web.page(records, limit=limit, cursor_of=lambda record: (record.sequence,), view=RecordView.of)
