from datetime import datetime, timedelta
from typing import Final

from identity.ports import Tx

KEPT: Final = timedelta(days=1)
BATCH: Final = 1000


async def purge_sessions(tx: Tx, *, now: datetime) -> int:
    """Delete a batch of sessions that expired more than a day ago, with their tokens; how many."""
    return await tx.sessions.purge(before=now - KEPT, limit=BATCH)
