"""The audit log in Postgres: written in one statement a batch, read newest first."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backoffice.adapters.tables import audit_logs
from backoffice.domain.record import Filter, Record

_A = audit_logs.c


class SqlAuditLog:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._waiting: list[Record] = []

    def add(self, record: Record) -> None:
        self._waiting.append(record)

    async def flush(self) -> None:
        if not self._waiting:
            return
        rows = [_row(record) for record in self._waiting]
        self._waiting.clear()
        await self._session.execute(
            insert(audit_logs).on_conflict_do_nothing(index_elements=[_A.record_id]), rows
        )

    async def find(self, filter_: Filter, *, before_sequence: int | None, limit: int) -> Sequence[Record]:
        query = select(audit_logs).where(*_conditions(filter_)).order_by(_A.id.desc()).limit(limit)
        if before_sequence is not None:
            query = query.where(_A.id < before_sequence)
        return [_record(row) for row in (await self._session.execute(query)).mappings()]


def _conditions(filter_: Filter) -> Iterator[ColumnElement[bool]]:
    for column, value in (
        (_A.entity_type, filter_.entity_type),
        (_A.entity_id, filter_.entity_id),
        (_A.user_id, filter_.user_id),
        (_A.action, filter_.action),
    ):
        if value is not None:
            yield column == value
    if filter_.start is not None:
        yield _A.occurred_at >= filter_.start
    if filter_.end is not None:
        yield _A.occurred_at < filter_.end


def _row(record: Record) -> dict[str, Any]:
    return {
        "record_id": record.id,
        "action": record.action,
        "entity_type": record.entity_type,
        "entity_id": record.entity_id,
        "user_id": record.user_id,
        "user_type": record.user_type,
        "changes": {"before": record.before, "after": record.after},
        "reason": record.reason,
        "ip_address": record.ip_address,
        "user_agent": record.user_agent,
        "request_id": record.request_id,
        "occurred_at": record.occurred_at,
    }


def _record(row: RowMapping) -> Record:
    return Record(
        id=row["record_id"],
        action=row["action"],
        entity_type=row["entity_type"],
        entity_id=row["entity_id"],
        user_id=row["user_id"],
        user_type=row["user_type"],
        before=row["changes"]["before"],
        after=row["changes"]["after"],
        reason=row["reason"],
        ip_address=None if row["ip_address"] is None else str(row["ip_address"]),
        user_agent=row["user_agent"],
        request_id=row["request_id"],
        occurred_at=row["occurred_at"],
        sequence=row["id"],
    )
