"""Which days' statements were published."""

from datetime import date, datetime

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import statements


class SqlStatements:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def published(self, day: date) -> bool:
        found = await self._session.execute(select(exists().where(statements.c.day == day)))
        return bool(found.scalar_one())

    async def claim(self, day: date, *, lines: int, now: datetime) -> bool:
        claimed = await self._session.execute(
            insert(statements)
            .values(day=day, lines=lines, published_at=now)
            .on_conflict_do_nothing()
            .returning(statements.c.day)
        )
        return claimed.one_or_none() is not None
