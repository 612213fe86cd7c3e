"""Which days' statements were published, and which reports Efí was asked for."""

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import statement_reports, statements


class SqlStatements:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def oldest(self) -> date | None:
        oldest: date | None = (await self._session.execute(select(func.min(statements.c.day)))).scalar_one()
        return oldest

    async def published_since(self, day: date) -> frozenset[date]:
        found = await self._session.execute(select(statements.c.day).where(statements.c.day >= day))
        return frozenset(found.scalars())

    async def claim(self, day: date, *, lines: int, now: datetime) -> bool:
        claimed = await self._session.execute(
            insert(statements)
            .values(day=day, lines=lines, published_at=now)
            .on_conflict_do_nothing()
            .returning(statements.c.day)
        )
        return claimed.one_or_none() is not None

    async def report_of(self, day: date) -> tuple[str, datetime] | None:
        columns = (statement_reports.c.report_id, statement_reports.c.requested_at)
        query = select(*columns).where(statement_reports.c.day == day)
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else (row.report_id, row.requested_at)

    async def note_report(self, day: date, *, report_id: str, now: datetime) -> None:
        # Of two that asked at once the first one's report is the one that is read.
        await self._session.execute(
            insert(statement_reports)
            .values(day=day, report_id=report_id, requested_at=now)
            .on_conflict_do_nothing()
        )
