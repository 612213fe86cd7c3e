"""Reconciliation cases, newest first."""

from datetime import datetime
from uuid import UUID

from ledger.domain.cases import Case, CaseKind, CaseStatus
from ledger.ports import Tx


async def list_cases(
    tx: Tx,
    *,
    status: CaseStatus | None,
    kind: CaseKind | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Case]:
    """Of one status and kind, or of all."""
    return await tx.cases.page(status=status, kind=kind, after=after, limit=limit)
