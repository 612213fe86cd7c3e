"""Keeps the inbox's partitions: made ahead, dropped after the retention."""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

AHEAD_DAYS: Final = 14


async def keep_partitions(session: AsyncSession, *, today: date, retention_days: int) -> None:
    """Make the weeks from `today` less the retention to two weeks ahead; drop the older ones.

    The retention must exceed that of every topic consumed plus the replay horizon: a dropped partition
    forgets which events were processed.
    """
    oldest = today - timedelta(days=retention_days)
    await session.execute(
        text("SELECT inbox_make_partitions(:first, :last)"),
        {"first": oldest, "last": today + timedelta(days=AHEAD_DAYS)},
    )
    await session.execute(text("SELECT inbox_drop_partitions(:before)"), {"before": oldest})
