"""Reconciliation cases."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.money import money
from ledger.domain.cases import Case, CaseKind, CaseStatus, Difference, Resolution

_OPEN: Final = text("""
INSERT INTO reconciliation_cases
  (id, kind, reference, external_id, amount, detail, opened_at, day, line_id, journal_id)
VALUES (:id, :kind, :reference, :external_id, :amount, :detail, :opened_at, :day, :line_id, :journal_id)
ON CONFLICT (external_id) DO NOTHING RETURNING id
""")
_SELECT: Final = """
SELECT id, kind, detail, reference, external_id, amount, opened_at, day, line_id, journal_id, status,
       resolution, note, resolution_journal, resolved_by, resolved_at
FROM reconciliation_cases
"""
_GET: Final = text(_SELECT + "WHERE id = :id")
_LOCK: Final = text(_SELECT + "WHERE id = :id FOR UPDATE")
_PAGE: Final = text(
    _SELECT
    + """
WHERE (CAST(:status AS text) IS NULL OR status = :status) AND (CAST(:kind AS text) IS NULL OR kind = :kind)
  AND (CAST(:opened_at AS timestamptz) IS NULL OR (opened_at, id) < (:opened_at, CAST(:id AS uuid)))
ORDER BY opened_at DESC, id DESC LIMIT :limit"""
)
_RESOLVE: Final = text("""
UPDATE reconciliation_cases
SET status = :status, resolution = :resolution, note = :note, resolution_journal = :resolution_journal,
    resolved_by = :resolved_by, resolved_at = :resolved_at
WHERE id = :id
""")
_BY_KIND: Final = text(
    "SELECT kind, count(*) AS n FROM reconciliation_cases WHERE status = 'open' GROUP BY kind"
)


class SqlCases:
    """Opens each case once; the database lets each be resolved once."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def open(self, case: Case) -> bool:
        values = {**_values(case), "kind": case.kind.value, "detail": case.difference.detail}
        return (await self._session.execute(_OPEN, values)).first() is not None

    async def get(self, case_id: UUID, *, lock: bool = False) -> Case | None:
        found = await self._session.execute(_LOCK if lock else _GET, {"id": case_id})
        row = found.mappings().one_or_none()
        return _case(row) if row else None

    async def resolve(self, case: Case) -> None:
        await self._session.execute(_RESOLVE, _values(case))

    async def page(
        self,
        *,
        status: CaseStatus | None,
        kind: CaseKind | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Case]:
        opened_at, case_id = after or (None, None)
        values = {"status": status, "kind": kind, "opened_at": opened_at, "id": case_id, "limit": limit}
        return [_case(row) for row in (await self._session.execute(_PAGE, values)).mappings()]

    async def open_by_kind(self) -> Mapping[CaseKind, int]:
        rows = await self._session.execute(_BY_KIND)
        return {CaseKind(row.kind): row.n for row in rows}


def _values(case: Case) -> dict[str, Any]:
    return {field.name: getattr(case, field.name) for field in fields(Case) if field.name != "difference"}


def _case(row: Mapping[Any, Any]) -> Case:
    values = dict(row)
    difference = Difference(kind=CaseKind(values.pop("kind")), detail=values.pop("detail"))
    values["amount"] = money(values["amount"])
    values["status"] = CaseStatus(values["status"])
    values["resolution"] = Resolution(values["resolution"]) if values["resolution"] else None
    return Case(difference=difference, **values)
