"""What is posted, as its readers ask for it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.payment import StatementLine
from kernel.money import money
from ledger.adapters.journal_rows import journal_of_transaction
from ledger.domain.earnings import Earnings, LastPayout
from ledger.domain.journal import Journal
from ledger.domain.payout import COMPLETED
from ledger.domain.period import Periods
from ledger.domain.refund import REFUNDED
from ledger.domain.settlement import CONFIRMED
from ledger.domain.statement import EVENTS_OF_KIND

_EARNED: Final = text("""
SELECT coalesce(sum(amount) FILTER (WHERE day = :today), 0)  AS today,
       coalesce(sum(amount) FILTER (WHERE day >= :week), 0)  AS week,
       coalesce(sum(amount) FILTER (WHERE day >= :month), 0) AS month
FROM (
  SELECT e.transaction_date AS day,
         CASE WHEN j.event_type = :confirmed THEN e.amount ELSE -e.amount END AS amount
  FROM ledger_entries e
  JOIN journals j ON j.id = e.journal_id
  JOIN ledger_accounts a ON a.id = e.account_id
  WHERE e.driver_id = :driver_id AND e.transaction_date BETWEEN :first AND :today
    AND ((j.event_type = :confirmed AND e.entry_type = 'CREDIT' AND a.code = '2100')
         OR (j.event_type = :refunded AND e.entry_type = 'DEBIT' AND a.code IN ('2100', '1350')))
) AS earned
""")
_RIDES: Final = text("""
SELECT count(DISTINCT entity_id) FROM journals
WHERE driver_id = :driver_id AND transaction_date = :today AND event_type = :confirmed
""")
_LAST_PAYOUT: Final = text("""
SELECT j.entity_id, e.amount, j.occurred_at
FROM journals j
JOIN ledger_entries e ON e.transaction_id = j.transaction_id AND e.transaction_date = j.transaction_date
WHERE j.driver_id = :driver_id AND j.event_type = :completed AND e.entry_type = 'CREDIT'
ORDER BY j.transaction_date DESC, j.created_at DESC, j.id DESC
LIMIT 1
""")
_BANK: Final = text("""
SELECT CASE e.entry_type WHEN 'DEBIT' THEN e.amount ELSE -e.amount END AS amount
FROM journals j
JOIN ledger_entries e ON e.transaction_id = j.transaction_id AND e.transaction_date = j.transaction_date
JOIN ledger_accounts a ON a.id = e.account_id AND a.code = '1100'
WHERE j.event_type = ANY(CAST(:event_types AS text[]))
  AND (j.reference_number = :e2e_id
       OR (j.entity_type = 'PAYOUT' AND j.entity_id = :payout_id)
       OR (CAST(:e2e_id AS text) IS NULL AND j.event_id IN
           (SELECT id FROM financial_events WHERE metadata ? 'txid' AND metadata->>'txid' = :txid)))
""")
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

    async def bank_movements(self, line: StatementLine) -> list[Decimal]:
        rows = await self._session.execute(_BANK, _references(line))
        return [money(row.amount) for row in rows]

    async def make_partitions(self, *, first: date, last: date) -> int:
        made: int = (
            await self._session.execute(_MAKE_PARTITIONS, {"first": first, "last": last})
        ).scalar_one()
        return made


def _references(line: StatementLine) -> Mapping[str, Any]:
    return {
        "event_types": list(EVENTS_OF_KIND[line.kind]),
        "e2e_id": line.e2e_id,
        "payout_id": _payout_id(line.id_envio),
        "txid": line.txid,
    }


def _payout_id(id_envio: str | None) -> str | None:
    """An idEnvio of ours is the payout's id in hex."""
    try:
        return str(UUID(hex=id_envio)) if id_envio else None
    except ValueError:
        return None
