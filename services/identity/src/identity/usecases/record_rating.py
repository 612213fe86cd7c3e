from datetime import datetime
from uuid import UUID

from identity.ports import Tx


async def record_rating(tx: Tx, *, rated_id: UUID, stars: int, now: datetime) -> None:
    """Count a ride's rating into the rated person's average; NotFound."""
    account = (await tx.accounts.lock(rated_id)).rated(stars)
    await tx.accounts.save(account)
    await tx.publish(account.profile(now=now), version=account.user.version)
