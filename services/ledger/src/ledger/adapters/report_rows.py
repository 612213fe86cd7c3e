"""The entries added up for people: movements a day, and what moved one driver's money."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.ledger import EntryType
from kernel.money import money
from ledger.domain.driver_statement import DriverPosting, Money
from ledger.domain.financial_report import Movement
from ledger.domain.reversal import REVERSED

_MOVEMENTS: Final = text("""
SELECT e.transaction_date AS day, a.code, coalesce(o.event_type, j.event_type) AS event_type,
       e.entry_type AS side, o.id IS NOT NULL AS undone, sum(e.amount) AS amount, count(*) AS entries
FROM ledger_entries e
JOIN journals j ON j.id = e.journal_id
JOIN ledger_accounts a ON a.id = e.account_id
LEFT JOIN journals o ON o.id = j.reverses AND j.event_type = :reversed
WHERE e.transaction_date BETWEEN :first AND :last
GROUP BY 1, 2, 3, 4, 5
""")
# Seals are numbered in the order of commit, which is the order in which the driver's balance moved.
_POSTINGS: Final = text("""
SELECT j.id AS journal_id, j.transaction_id, j.event_type, j.description, j.reference_number AS reference,
       j.transaction_date AS posted_on, j.occurred_at, j.created_at AS posted_at,
       sum(CASE WHEN a.code <> '2100' THEN 0 WHEN e.entry_type = 'CREDIT' THEN e.amount ELSE -e.amount END)
         AS available,
       sum(CASE WHEN a.code <> '2150' THEN 0 WHEN e.entry_type = 'CREDIT' THEN e.amount ELSE -e.amount END)
         AS on_hold,
       sum(CASE WHEN a.code <> '1350' THEN 0 WHEN e.entry_type = 'DEBIT' THEN e.amount ELSE -e.amount END)
         AS receivable
FROM ledger_entries e
JOIN journals j ON j.id = e.journal_id
JOIN ledger_seals s ON s.batch = j.batch
JOIN ledger_accounts a ON a.id = e.account_id AND a.owner_kind = 'driver'
WHERE e.driver_id = :driver_id AND e.transaction_date BETWEEN :first AND :last
GROUP BY j.id, s.seq
ORDER BY j.transaction_date, s.seq, min(e.id)
""")


class SqlReports:
    """Read only."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def movements(self, *, first: date, last: date) -> list[Movement]:
        values = {"first": first, "last": last, "reversed": REVERSED}
        rows = (await self._session.execute(_MOVEMENTS, values)).mappings()
        return [_movement(row) for row in rows]

    async def driver_postings(self, driver_id: UUID, *, first: date, last: date) -> list[DriverPosting]:
        values = {"driver_id": driver_id, "first": first, "last": last}
        rows = (await self._session.execute(_POSTINGS, values)).mappings()
        return [_posting(row) for row in rows]


def _movement(row: Mapping[Any, Any]) -> Movement:
    return Movement(**{**row, "side": EntryType(row["side"]), "amount": money(row["amount"])})


def _posting(row: Mapping[Any, Any]) -> DriverPosting:
    moved = {name: money(row[name]) for name in ("available", "on_hold", "receivable")}
    rest = {name: value for name, value in row.items() if name not in moved}
    return DriverPosting(**rest, change=Money(**moved))
