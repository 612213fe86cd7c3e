"""Forget messages and tickets that are no longer of use."""

from datetime import datetime, timedelta

from notification.ports import Tx

BATCH = 5000


async def drop_old_messages(tx: Tx, *, now: datetime, retention: timedelta) -> int:
    """How many messages were dropped; offsets go on counting from where they are."""
    await tx.tickets.drop_before(now)
    return await tx.log.drop_before(now - retention, limit=BATCH)
