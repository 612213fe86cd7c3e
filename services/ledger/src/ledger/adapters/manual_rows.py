"""Proposals of manual journals."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.ledger import JournalLine
from ledger.domain.journal import Line
from ledger.domain.manual import Proposal, ProposalStatus

_ADD: Final = text("""
INSERT INTO manual_journals (id, transaction_id, description, reason, reference_number, lines, amount,
                             proposed_by, proposed_at)
VALUES (:id, :transaction_id, :description, :reason, :reference_number, CAST(:lines AS jsonb), :amount,
        :proposed_by, :proposed_at)
""")
_SELECT: Final = """
SELECT id, transaction_id, description, reason, reference_number, lines, status, proposed_by, proposed_at,
       decided_by, decided_at, decision_reason
FROM manual_journals
"""
_GET: Final = text(_SELECT + "WHERE id = :id")
_LOCK: Final = text(_SELECT + "WHERE id = :id FOR UPDATE")
_PAGE: Final = text(
    _SELECT
    + """
WHERE (CAST(:status AS text) IS NULL OR status = :status)
  AND (CAST(:proposed_at AS timestamptz) IS NULL
       OR (proposed_at, id) < (:proposed_at, CAST(:id AS uuid)))
ORDER BY proposed_at DESC, id DESC LIMIT :limit"""
)
_DECIDE: Final = text("""
UPDATE manual_journals
SET status = :status, decided_by = :decided_by, decided_at = :decided_at, decision_reason = :decision_reason
WHERE id = :id
""")


class SqlManualJournals:
    """The database keeps a proposal as it is and lets it be decided once, and approved by another person."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, proposal: Proposal) -> None:
        values = {name: getattr(proposal, name) for name in Proposal.__dataclass_fields__}
        lines = json.dumps([_written(line) for line in proposal.lines])
        await self._session.execute(_ADD, {**values, "lines": lines, "amount": proposal.amount})

    async def get(self, proposal_id: UUID, *, lock: bool = False) -> Proposal | None:
        found = await self._session.execute(_LOCK if lock else _GET, {"id": proposal_id})
        row = found.mappings().one_or_none()
        return _proposal(row) if row else None

    async def decide(self, proposal: Proposal) -> None:
        names = ("id", "status", "decided_by", "decided_at", "decision_reason")
        await self._session.execute(_DECIDE, {name: getattr(proposal, name) for name in names})

    async def page(
        self, *, status: ProposalStatus | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[Proposal]:
        proposed_at, proposal_id = after or (None, None)
        values = {"status": status, "proposed_at": proposed_at, "id": proposal_id, "limit": limit}
        return [_proposal(row) for row in (await self._session.execute(_PAGE, values)).mappings()]


def _written(line: Line) -> dict[str, Any]:
    written = JournalLine(
        account_code=line.account_code,
        entry_type=line.entry_type,
        amount=line.amount,
        driver_id=line.driver_id,
        passenger_id=line.passenger_id,
    )
    return written.model_dump(mode="json", exclude_none=True)


def _proposal(row: Mapping[Any, Any]) -> Proposal:
    values = {**row, "status": ProposalStatus(row["status"])}
    values["lines"] = tuple(_read(written) for written in row["lines"])
    return Proposal(**values)


def _read(written: Mapping[str, Any]) -> Line:
    line = JournalLine.model_validate(written)
    return Line(
        account_code=line.account_code,
        entry_type=line.entry_type,
        amount=line.amount,
        driver_id=line.driver_id,
        passenger_id=line.passenger_id,
    )
