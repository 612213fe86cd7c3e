"""Recompute every snapshot from the entries."""

from dataclasses import dataclass
from datetime import date, timedelta

from ledger.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotVerdict:
    """`broken_day` is the first day whose kept balances its entries contradict, None when all hold."""

    days: int
    last_day: date | None
    broken_day: date | None = None


async def verify_snapshots(tx: Tx, *, first: date | None = None) -> SnapshotVerdict:
    """Day by day from the first snapshot (or from `first`), each from the one before it and its entries."""
    last = await tx.days.last_day()
    day = first or await tx.days.first_day()
    days = 0
    while last is not None and day is not None and day <= last:
        if await tx.days.differing(day):
            return SnapshotVerdict(days=days, last_day=last, broken_day=day)
        day, days = day + timedelta(days=1), days + 1
    return SnapshotVerdict(days=days, last_day=last)
