"""Seal what was posted since the last seal."""

from datetime import datetime

from ledger.domain.seal import Seal, next_seal
from ledger.ports import Tx


async def seal_journals(tx: Tx, *, limit: int, now: datetime) -> Seal | None:
    """The new link of the hash chain, over about `limit` journals; None when nothing new is finished."""
    last = await tx.seals.last()
    horizon, journals = await tx.seals.unsealed(limit=limit)
    if not journals:
        return None
    seal = next_seal(last, to_xid=horizon, journals=journals, now=now)
    await tx.seals.add(seal)
    return seal
