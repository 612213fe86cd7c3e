"""Payouts as whoever runs the platform looks for them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from payout.domain.payout import Payout
from payout.domain.step import Status, Step
from payout.ports import Tx


async def search_payouts(
    tx: Tx,
    *,
    driver_id: UUID | None,
    status: Status | None,
    step: Step | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Payout]:
    """Up to `limit`, newest first, older than `before`; None asks for any."""
    return await tx.payouts.list_of(driver_id, status=status, step=step, before=before, limit=limit)
