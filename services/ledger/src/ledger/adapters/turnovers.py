"""All debits and credits up to a moment: the newest snapshot that is complete by then, plus what followed it."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.money import money
from ledger.domain.as_of import By, Moment, Turnover
from ledger.domain.chart import OwnerKind, account

NIL: Final = UUID(int=0)

# Which snapshot is complete: by recorded time one whose day had ended; by occurred time one that holds nothing
# that occurred later. The rest is read from the entries: of the days after it, and not later than the moment.
_SNAPSHOT: Final = {
    By.RECORDED: "SELECT max(day) FROM day_snapshots WHERE day <= :full_day",
    By.OCCURRED: "SELECT max(day) FROM day_snapshots WHERE latest_occurred_at <= :at",
}
_TAIL: Final = {
    By.RECORDED: """
FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
WHERE e.transaction_date > (SELECT day FROM snapshot) AND e.transaction_date <= :day AND e.created_at <= :at""",
    By.OCCURRED: """
FROM journals j
JOIN ledger_entries e ON e.journal_id = j.id AND e.transaction_date = j.transaction_date
JOIN ledger_accounts a ON a.id = e.account_id
WHERE j.transaction_date > (SELECT day FROM snapshot) AND e.transaction_date > (SELECT day FROM snapshot)
  AND j.occurred_at <= :at""",
}
_OWNER_COLUMN: Final = {OwnerKind.DRIVER: "e.driver_id", OwnerKind.PASSENGER: "e.passenger_id"}


def _query(by: By, *, one: bool, owner_column: str | None) -> TextClause:
    account_is = " AND a.code = :code" if one else ""
    owner_is = f" AND {owner_column} = :owner_id" if owner_column else ""
    return text(f"""
WITH snapshot AS (SELECT coalesce(({_SNAPSHOT[by]}), '-infinity'::date) AS day),
kept AS (
  SELECT DISTINCT ON (b.account_id) a.code, b.debits, b.credits
  FROM day_balances b JOIN ledger_accounts a ON a.id = b.account_id
  WHERE b.owner_id = :owner_id AND b.day <= (SELECT day FROM snapshot){account_is}
  ORDER BY b.account_id, b.day DESC),
tail AS (
  SELECT a.code, coalesce(sum(e.amount) FILTER (WHERE e.entry_type = 'DEBIT'), 0)  AS debits,
         coalesce(sum(e.amount) FILTER (WHERE e.entry_type = 'CREDIT'), 0) AS credits
  {_TAIL[by]}{account_is}{owner_is}
  GROUP BY a.code)
SELECT code, sum(debits) AS debits, sum(credits) AS credits
FROM (SELECT * FROM kept UNION ALL SELECT * FROM tail) AS both_parts GROUP BY code
""")  # noqa: S608 - constants of this module


_OF_ALL: Final = {by: _query(by, one=False, owner_column=None) for by in By}


async def of_all(session: AsyncSession, moment: Moment) -> Mapping[str, Turnover]:
    """Account code → its sums, all owners together."""
    rows = (await session.execute(_OF_ALL[moment.by], _values(moment, NIL))).mappings()
    return {row["code"]: _turnover(row) for row in rows}


async def of_account(session: AsyncSession, code: str, *, owner_id: UUID | None, moment: Moment) -> Turnover:
    """The sums of one account, or of one owner's part of it."""
    kind = account(code).owner
    column = _OWNER_COLUMN[kind] if kind is not None and owner_id is not None else None
    query = _query(moment.by, one=True, owner_column=column)
    values = {**_values(moment, owner_id or NIL), "code": code}
    row = (await session.execute(query, values)).mappings().one_or_none()
    return _turnover(row) if row else Turnover()


def _values(moment: Moment, owner_id: UUID) -> dict[str, Any]:
    return {"at": moment.at, "day": moment.day, "full_day": moment.last_full_day, "owner_id": owner_id}


def _turnover(row: Mapping[Any, Any]) -> Turnover:
    return Turnover(debits=money(row["debits"]), credits=money(row["credits"]))
