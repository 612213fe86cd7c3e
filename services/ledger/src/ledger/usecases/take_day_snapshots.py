"""Keep the balances of the days that are over."""

from datetime import date, datetime, timedelta

from kernel.business_day import business_day
from ledger.ports import Tx

# A posting reads its clock before it commits, and clocks differ a little: let a day settle before it is shut.
SETTLES_WITHIN = timedelta(minutes=10)


async def take_day_snapshots(tx: Tx, *, now: datetime, until: date | None = None, limit: int = 1) -> int:
    """How many days were shut, oldest first, `limit` at most. `until` shuts that day without waiting for it to settle.

    Once it is shut, the database refuses postings into it.
    """
    last = until or business_day(now - SETTLES_WITHIN) - timedelta(days=1)
    await tx.days.lock()
    taken = 0
    day = await tx.days.next_day() or last
    while day <= last and taken < limit:
        await tx.days.take(day, now=now)
        day, taken = day + timedelta(days=1), taken + 1
    return taken
