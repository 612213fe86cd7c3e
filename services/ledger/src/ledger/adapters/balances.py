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

# Platform accounts have one row, of the nil owner; `tail` is what was sealed since the last fold.
_KEPT: Final = """
tail AS (
  SELECT m.account_id, sum(m.amount) AS amount
  FROM ledger_movements m WHERE m.seq > (SELECT folded_to FROM running_balance_mark) GROUP BY m.account_id),
kept AS (SELECT account_id, sum(balance) AS amount FROM account_balances GROUP BY account_id)
"""
_ACCOUNTS: Final = text(f"""
WITH {_KEPT}
SELECT a.code, coalesce(kept.amount, 0) + coalesce(tail.amount, 0) AS balance
FROM ledger_accounts a
LEFT JOIN kept ON kept.account_id = a.id LEFT JOIN tail ON tail.account_id = a.id
WHERE a.classification = 'DETAIL' AND (CAST(:code AS text) IS NULL OR a.code = :code)
""")  # noqa: S608 - constants of this module

# Everything ever posted is added up at once.
_PATIENCE: Final = text("SELECT set_config('statement_timeout', '600000', true)")
_DIFFERENCE: Final = text("""
SELECT coalesce(sum(CASE entry_type WHEN 'DEBIT' THEN amount ELSE -amount END), 0) FROM ledger_entries
""")
_WRONG: Final = text(f"""
WITH {_KEPT}
SELECT posted.code
FROM trial_balance posted JOIN ledger_accounts a ON a.code = posted.code
LEFT JOIN kept ON kept.account_id = a.id LEFT JOIN tail ON tail.account_id = a.id
WHERE posted.balance <> coalesce(kept.amount, 0) + coalesce(tail.amount, 0)
UNION SELECT code FROM balance_differences
ORDER BY code
""")  # noqa: S608 - constants of this module

_MARK: Final = text("SELECT folded_to FROM running_balance_mark FOR UPDATE")
# Seals are numbered in the order of commit: none can still appear below one that is visible.
_HEAD: Final = text("SELECT coalesce(max(seq), 0) FROM ledger_seals")
_FOLD: Final = text("""
INSERT INTO account_balances (account_id, owner_id, balance, version, updated_at)
SELECT account_id, '00000000-0000-0000-0000-000000000000', sum(amount), 1, :now
FROM ledger_movements WHERE seq > :since AND seq <= :head GROUP BY account_id
ON CONFLICT (account_id, owner_id) DO UPDATE
SET balance = account_balances.balance + excluded.balance, version = account_balances.version + 1,
    updated_at = excluded.updated_at
RETURNING 1
""")
_MOVE_MARK: Final = text("UPDATE running_balance_mark SET folded_to = :head, folded_at = :now")


class SqlBalances:
    """Reads take no lock; `fold` is one job at a time, held to it by the mark's row lock."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of_driver(self, driver_id: UUID) -> DriverBalance:
        rows = (await self._session.execute(_DRIVER, {"driver_id": driver_id})).all()
        return driver_balance(driver_id, rows=rows)

    async def of_account(self, code: str) -> Decimal:
        row = (await self._session.execute(_ACCOUNTS, {"code": code})).one()
        return money(row.balance)

    async def all_accounts(self) -> dict[str, Decimal]:
        rows = await self._session.execute(_ACCOUNTS, {"code": None})
        return {row.code: money(row.balance) for row in rows}

    async def entries_difference(self) -> Decimal:
        await self._session.execute(_PATIENCE)
        difference: Decimal = (await self._session.execute(_DIFFERENCE)).scalar_one()
        return difference

    async def wrong_accounts(self) -> list[str]:
        await self._session.execute(_PATIENCE)
        return list((await self._session.execute(_WRONG)).scalars())

    async def fold(self, *, now: datetime) -> int:
        since = (await self._session.execute(_MARK)).scalar_one()
        head = (await self._session.execute(_HEAD)).scalar_one()
        changed = (await self._session.execute(_FOLD, {"since": since, "head": head, "now": now})).all()
        await self._session.execute(_MOVE_MARK, {"head": head, "now": now})
        return len(changed)
