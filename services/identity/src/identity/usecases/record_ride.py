from datetime import datetime
from uuid import UUID

from identity.ports import Tx


async def record_ride(tx: Tx, *, passenger_id: UUID, driver_id: UUID, now: datetime) -> None:
    """Count a completed ride for both who shared it; NotFound."""
    # In the order of the ids, as everyone locks accounts: no deadlock.
    for user_id in sorted((passenger_id, driver_id)):
        account = (await tx.accounts.lock(user_id)).rode()
        await tx.accounts.save(account)
        await tx.publish(account.profile(now=now), version=account.user.version)
