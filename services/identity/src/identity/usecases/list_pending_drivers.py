from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from identity.domain.account import Account
from identity.ports import Tx


async def list_pending_drivers(
    tx: Tx, *, limit: int, after: tuple[datetime, UUID] | None
) -> Sequence[Account]:
    """Drivers who wait for approval, the longest waiting first."""
    return await tx.accounts.pending_drivers(limit=limit, after=after)
