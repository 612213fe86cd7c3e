"""Payouts, newest first."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from payout.domain.payout import Payout
from payout.ports import Tx


async def list_payouts(
    tx: Tx, *, driver_id: UUID | None, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Payout]:
    """Up to `limit` of `driver_id`'s (None: everybody's) that are older than `before`."""
    return await tx.payouts.list_of(driver_id, before=before, limit=limit)
