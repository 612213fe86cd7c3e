"""Proposals of manual journals, newest first."""

from datetime import datetime
from uuid import UUID

from ledger.domain.manual import Proposal, ProposalStatus
from ledger.ports import Tx


async def list_manual_journals(
    tx: Tx, *, status: ProposalStatus | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[Proposal]:
    """Of one status, or all."""
    return await tx.manual_journals.page(status=status, after=after, limit=limit)
