"""What is posted, as its readers ask for it."""

from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.money import money
from ledger.adapters.journal_rows import journal_of_transaction
from ledger.domain.earnings import Earnings, LastPayout
from ledger.domain.journal import Journal
from ledger.domain.payout import COMPLETED
from ledger.domain.period import Periods
from ledger.domain.refund import REFUNDED
from ledger.domain.reversal import REVERSED
from ledger.domain.settlement import CONFIRMED
from ledger.ports import PartitionRoom

# A reversal counts as what it takes back, on its own day. What the driver no longer has is taken from 1350.
_EARNED: Final = text("""
SELECT coalesce(sum(amount) FILTER (WHERE day = :today), 0)  AS today,
       coalesce(sum(amount) FILTER (WHERE day >= :week), 0)  AS week,
       coalesce(sum(amount) FILTER (WHERE day >= :month), 0) AS month
FROM (
  SELECT e.transaction_date AS day,
         CASE WHEN (e.entry_type = 'CREDIT') THEN e.amount ELSE -e.amount END AS amount
  FROM ledger_entries e
  JOIN journals j ON j.id = e.journal_id
  JOIN ledger_accounts a ON a.id = e.account_id AND a.code IN ('2100', '1350')
  LEFT JOIN journals o ON o.id = j.reverses AND j.event_type = :reversed
  WHERE e.driver_id = :driver_id AND e.transaction_date BETWEEN :first AND :today
    AND coalesce(o.event_type, j.event_type) IN (:confirmed, :refunded)
) AS earned
""")
_RIDES: Final = text("""
SELECT count(DISTINCT entity_id) FROM journals
WHERE driver_id = :driver_id AND transaction_date = :today AND event_type = :confirmed
""")
_LAST_PAYOUT: Final = text("""
SELECT j.entity_id, e.amount, j.occurred_at
FROM journals j
JOIN ledger_entries e ON e.journal_id = j.id AND e.transaction_date = j.transaction_date
WHERE j.driver_id = :driver_id AND j.event_type = :completed AND e.entry_type = 'CREDIT'
ORDER BY j.transaction_date DESC, j.created_at DESC, j.id DESC
LIMIT 1
""")
_NAME_OF: Final = text("SELECT transaction_id FROM journals WHERE id = :id")
_LOCK_ENTITY: Final = text("SELECT pg_advisory_xact_lock(hashtext('ledger entity'), hashtext(:entity))")
_ROOM: Final = text("SELECT * FROM ledger_partition_room(:today)")
_MAKE_PARTITIONS: Final = text("SELECT ledger_make_partitions(:first, :last)")


class SqlJournals:
    """Read only; writing is the open book's."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def by_transaction(self, transaction_id: str) -> Journal | None:
        return await journal_of_transaction(self._session, transaction_id=transaction_id)

    async def earnings(self, driver_id: UUID, *, periods: Periods) -> Earnings:
        values = {
            "driver_id": driver_id,
            "today": periods.today,
            "week": periods.week,
            "month": periods.month,
            "first": periods.first,
            "confirmed": CONFIRMED,
            "refunded": REFUNDED,
            "reversed": REVERSED,
        }
        earned = (await self._session.execute(_EARNED, values)).one()
        rides = (await self._session.execute(_RIDES, values)).scalar_one()
        return Earnings(
            today=money(earned.today),
            week=money(earned.week),
            month=money(earned.month),
            rides_today=rides,
            last_payout=await self._last_payout(driver_id),
        )

    async def _last_payout(self, driver_id: UUID) -> LastPayout | None:
        values = {"driver_id": driver_id, "completed": COMPLETED}
        row = (await self._session.execute(_LAST_PAYOUT, values)).one_or_none()
        if row is None:
            return None
        return LastPayout(payout_id=row.entity_id, amount=money(row.amount), completed_at=row.occurred_at)

    async def find(self, name: str) -> Journal | None:
        found = await self.by_transaction(name)
        if found is not None:
            return found
        transaction_id = await self._transaction_of(name)
        return await self.by_transaction(transaction_id) if transaction_id else None

    async def _transaction_of(self, name: str) -> str | None:
        try:
            journal_id = UUID(name)
        except ValueError:
            return None
        found = (await self._session.execute(_NAME_OF, {"id": journal_id})).scalar_one_or_none()
        return None if found is None else str(found)

    async def lock_entity(self, entity_type: str, entity_id: str) -> None:
        await self._session.execute(_LOCK_ENTITY, {"entity": f"{entity_type}:{entity_id}"})

    async def partition_room(self, *, today: date) -> PartitionRoom:
        row = (await self._session.execute(_ROOM, {"today": today})).one()
        return PartitionRoom(days_ahead=max(0, (row.first_missing - today).days), in_default=row.in_default)

    async def make_partitions(self, *, first: date, last: date) -> int:
        made: int = (
            await self._session.execute(_MAKE_PARTITIONS, {"first": first, "last": last})
        ).scalar_one()
        return made
