"""Make the partitions of the coming months."""

from datetime import datetime, timedelta

from kernel.business_day import business_day
from ledger.ports import Tx


async def make_partitions(tx: Tx, *, days_ahead: int, now: datetime) -> int:
    """How many were missing. Until one is made, the default partition takes its month's entries."""
    today = business_day(now)
    return await tx.journals.make_partitions(first=today, last=today + timedelta(days=days_ahead))
