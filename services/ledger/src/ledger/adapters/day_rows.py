"""Days that are over: snapshots of every balance that moved, closed days, and balances as of a moment."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.business_day import day_bounds
from ledger.adapters.turnovers import of_account, of_all
from ledger.domain.as_of import Moment, Turnover
from ledger.domain.closing import ClosedDay, DayState

_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtext('ledger days'))")
# A whole day of a busy platform is added up at once.
_PATIENCE: Final = text("SELECT set_config('statement_timeout', '600000', true)")
_SHUT: Final = text("""
SELECT pg_advisory_xact_lock(hashtext('ledger day'), CAST(:day AS date) - DATE '2000-01-01')""")
_LAST: Final = text("SELECT max(day) FROM day_snapshots")
_OLDEST: Final = text("SELECT min(day) FROM day_snapshots")
_FIRST: Final = text("SELECT transaction_date FROM journals ORDER BY id LIMIT 1")
_MARK: Final = text("""
INSERT INTO day_snapshots (day, entries, latest_occurred_at, taken_at)
SELECT :day, coalesce(last.entries, 0) + tail.entries,
       greatest(coalesce(last.latest_occurred_at, '-infinity'), coalesce(tail.latest, '-infinity')), :now
FROM (SELECT count(*) AS entries, max(j.occurred_at) AS latest
      FROM ledger_entries e JOIN journals j ON j.id = e.journal_id
      WHERE e.transaction_date > coalesce((SELECT max(day) FROM day_snapshots), '-infinity')
        AND e.transaction_date <= :day) AS tail
LEFT JOIN (SELECT entries, latest_occurred_at FROM day_snapshots ORDER BY day DESC LIMIT 1) AS last ON true
""")
# What moved since the snapshot before, per sub-balance and (nil owner) per account.
_MOVED: Final = """
moved_of_owner AS (
  SELECT e.account_id,
         CASE a.owner_kind WHEN 'driver' THEN e.driver_id WHEN 'passenger' THEN e.passenger_id END AS owner_id,
         coalesce(sum(e.amount) FILTER (WHERE e.entry_type = 'DEBIT'), 0)  AS debits,
         coalesce(sum(e.amount) FILTER (WHERE e.entry_type = 'CREDIT'), 0) AS credits
  FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
  WHERE e.transaction_date > coalesce((SELECT max(day) FROM day_snapshots WHERE day < :day), '-infinity')
    AND e.transaction_date <= :day
  GROUP BY 1, 2),
moved AS (
  SELECT account_id, owner_id, debits, credits FROM moved_of_owner WHERE owner_id IS NOT NULL
  UNION ALL
  SELECT account_id, '00000000-0000-0000-0000-000000000000', sum(debits), sum(credits)
  FROM moved_of_owner GROUP BY account_id)
"""
_BEFORE: Final = """
LEFT JOIN LATERAL (
  SELECT b.debits, b.credits FROM day_balances b
  WHERE b.account_id = m.account_id AND b.owner_id = m.owner_id AND b.day < :day
  ORDER BY b.day DESC LIMIT 1) AS before ON true
"""
_KEEP: Final = text(f"""
WITH {_MOVED}
INSERT INTO day_balances (account_id, owner_id, day, debits, credits)
SELECT m.account_id, m.owner_id, :day, m.debits + coalesce(before.debits, 0),
       m.credits + coalesce(before.credits, 0)
FROM moved m {_BEFORE}
RETURNING 1
""")  # noqa: S608 - constants of this module
_DIFFERING: Final = text(f"""
WITH {_MOVED}, kept AS (SELECT * FROM day_balances WHERE day = :day),
expected AS (
  SELECT m.account_id, m.owner_id, m.debits + coalesce(before.debits, 0) AS debits,
         m.credits + coalesce(before.credits, 0) AS credits
  FROM moved m {_BEFORE})
SELECT count(*) FROM expected FULL JOIN kept USING (account_id, owner_id)
WHERE (expected.debits, expected.credits) IS DISTINCT FROM (kept.debits, kept.credits)
""")  # noqa: S608 - constants of this module
_CLOSE: Final = text(
    "INSERT INTO closed_days (day, closed_by, closed_at) VALUES (:day, :closed_by, :closed_at)"
)
_CLOSED: Final = text("""
SELECT day, closed_by, closed_at FROM closed_days
WHERE day < coalesce(CAST(:before AS date), 'infinity') ORDER BY day DESC LIMIT :limit
""")
_STATE: Final = text("""
SELECT (SELECT max(day) FROM closed_days) AS last_closed,
       EXISTS (SELECT 1 FROM bank_statements WHERE day = :day AND checked_at IS NOT NULL) AS statement_checked,
       EXISTS (SELECT 1 FROM journals j
               JOIN ledger_entries e ON e.journal_id = j.id AND e.transaction_date = j.transaction_date
               JOIN ledger_accounts a ON a.id = e.account_id AND a.code = '1100'
               WHERE j.occurred_at >= :start AND j.occurred_at < :end) AS bank_moved,
       (SELECT count(*) FROM reconciliation_cases WHERE day = :day AND status = 'open') AS open_cases
""")


class SqlDays:
    """A snapshot is taken once, by whoever holds the lock; afterwards the database refuses its day."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def turnovers(self, moment: Moment) -> Mapping[str, Turnover]:
        return await of_all(self._session, moment)

    async def turnover(self, code: str, *, owner_id: UUID | None, moment: Moment) -> Turnover:
        return await of_account(self._session, code, owner_id=owner_id, moment=moment)

    async def lock(self) -> None:
        await self._session.execute(_LOCK)

    async def next_day(self) -> date | None:
        last = await self.last_day()
        if last is not None:
            return date.fromordinal(last.toordinal() + 1)
        first: date | None = (await self._session.execute(_FIRST)).scalar_one_or_none()
        return first

    async def first_day(self) -> date | None:
        first: date | None = (await self._session.execute(_OLDEST)).scalar_one()
        return first

    async def last_day(self) -> date | None:
        last: date | None = (await self._session.execute(_LAST)).scalar_one()
        return last

    async def take(self, day: date, *, now: datetime) -> int:
        await self._session.execute(_PATIENCE)
        await self._session.execute(_SHUT, {"day": day})
        await self._session.execute(_MARK, {"day": day, "now": now})
        return len((await self._session.execute(_KEEP, {"day": day})).all())

    async def differing(self, day: date) -> int:
        await self._session.execute(_PATIENCE)
        count: int = (await self._session.execute(_DIFFERING, {"day": day})).scalar_one()
        return count

    async def state(self, day: date) -> DayState:
        start, end = day_bounds(day)
        row = (await self._session.execute(_STATE, {"day": day, "start": start, "end": end})).mappings().one()
        return DayState(**row)

    async def close(self, closed: ClosedDay) -> None:
        values: dict[str, Any] = {name: getattr(closed, name) for name in ClosedDay.__dataclass_fields__}
        await self._session.execute(_CLOSE, values)

    async def closed(self, *, before: date | None, limit: int) -> list[ClosedDay]:
        rows = await self._session.execute(_CLOSED, {"before": before, "limit": limit})
        return [ClosedDay(**row) for row in rows.mappings()]
