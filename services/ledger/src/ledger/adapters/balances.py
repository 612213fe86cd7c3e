"""What the accounts hold: sub-balances as they are kept, platform accounts as folded plus what is not yet."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.money import money
from ledger.adapters.balance_rows import driver_balance
from ledger.domain.driver_balance import DriverBalance

_DRIVER: Final = text("""
SELECT a.code, b.owner_id, b.balance, b.version, b.updated_at
FROM account_balances b JOIN ledger_accounts a ON a.id = b.account_id
WHERE b.owner_id = :driver_id AND a.owner_kind = 'driver'
""")

_GROWTH: Final = """
sum(CASE WHEN (e.entry_type = 'DEBIT') = (a.account_type IN ('ASSET', 'EXPENSE')) THEN e.amount
         ELSE -e.amount END)"""

# Platform accounts have one row, of the nil owner; `tail` is what was posted since the last fold.
_ACCOUNTS: Final = text(f"""
WITH tail AS (
  SELECT e.account_id, {_GROWTH} AS amount
  FROM journals j
  JOIN ledger_entries e ON e.transaction_id = j.transaction_id AND e.transaction_date = j.transaction_date
  JOIN ledger_accounts a ON a.id = e.account_id AND a.owner_kind IS NULL
  WHERE j.xid >= (SELECT folded_to FROM running_balance_mark)
  GROUP BY e.account_id),
kept AS (SELECT account_id, sum(balance) AS amount FROM account_balances GROUP BY account_id)
SELECT a.code, coalesce(kept.amount, 0) + coalesce(tail.amount, 0) AS balance
FROM ledger_accounts a
LEFT JOIN kept ON kept.account_id = a.id LEFT JOIN tail ON tail.account_id = a.id
WHERE a.classification = 'DETAIL' AND (CAST(:code AS text) IS NULL OR a.code = :code)
""")  # noqa: S608 - a constant of this module

_MARK: Final = text("SELECT folded_to::text FROM running_balance_mark FOR UPDATE")
# Below it every transaction has ended: identifiers commit out of order, so a plain "newer than" skips some.
_HORIZON: Final = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
_FOLD: Final = text(f"""
INSERT INTO account_balances (account_id, owner_id, balance, version, updated_at)
SELECT e.account_id, '00000000-0000-0000-0000-000000000000', {_GROWTH}, 1, :now
FROM journals j
JOIN ledger_entries e ON e.transaction_id = j.transaction_id AND e.transaction_date = j.transaction_date
JOIN ledger_accounts a ON a.id = e.account_id AND a.owner_kind IS NULL
WHERE j.xid >= CAST(CAST(:since AS text) AS xid8) AND j.xid < CAST(CAST(:horizon AS text) AS xid8)
GROUP BY e.account_id
ON CONFLICT (account_id, owner_id) DO UPDATE
SET balance = account_balances.balance + excluded.balance, version = account_balances.version + 1,
    updated_at = excluded.updated_at
RETURNING 1
""")  # noqa: S608 - a constant of this module
_MOVE_MARK: Final = text("""
UPDATE running_balance_mark SET folded_to = CAST(CAST(:horizon AS text) AS xid8), folded_at = :now
""")


class SqlBalances:
    """Reads take no lock; `fold` is one job at a time, held to it by the mark's row lock."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of_driver(self, driver_id: UUID) -> DriverBalance:
        rows = (await self._session.execute(_DRIVER, {"driver_id": driver_id})).mappings().all()
        return driver_balance(driver_id, rows=rows)

    async def of_account(self, code: str) -> Decimal:
        row = (await self._session.execute(_ACCOUNTS, {"code": code})).one()
        return money(row.balance)

    async def all_accounts(self) -> dict[str, Decimal]:
        rows = await self._session.execute(_ACCOUNTS, {"code": None})
        return {row.code: money(row.balance) for row in rows}

    async def fold(self, *, now: datetime) -> int:
        since = (await self._session.execute(_MARK)).scalar_one()
        horizon = (await self._session.execute(_HORIZON)).scalar_one()
        values = {"since": since, "horizon": horizon, "now": now}
        changed = (await self._session.execute(_FOLD, values)).all()
        await self._session.execute(_MOVE_MARK, {"horizon": horizon, "now": now})
        return len(changed)
