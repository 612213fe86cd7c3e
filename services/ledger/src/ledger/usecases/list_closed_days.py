"""The closed days, newest first."""

from datetime import date

from ledger.domain.closing import ClosedDay
from ledger.ports import Tx


async def list_closed_days(tx: Tx, *, before: date | None, limit: int) -> list[ClosedDay]:
    """Those before a day, or the newest."""
    return await tx.days.closed(before=before, limit=limit)
