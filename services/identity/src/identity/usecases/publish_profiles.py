from datetime import datetime
from typing import Final
from uuid import UUID

from identity.ports import Tx

BATCH: Final = 200


async def publish_profiles(tx: Tx, *, after: UUID | None, now: datetime) -> UUID | None:
    """Publish the next batch of profiles as they stand, by user id; the last id, or None at the end."""
    accounts = await tx.accounts.after(after, limit=BATCH)
    for account in accounts:
        await tx.publish(account.profile(now=now), version=account.user.version)
    return accounts[-1].id if accounts else None
