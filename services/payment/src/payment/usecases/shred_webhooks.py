"""Delete the sealed bodies of webhooks whose time is over."""

from datetime import datetime

from payment.ports import Tx


async def shred_webhooks(tx: Tx, *, now: datetime, limit: int) -> int:
    """How many were deleted; hash and redacted content stay."""
    return await tx.webhooks.shred(now=now, limit=limit)
