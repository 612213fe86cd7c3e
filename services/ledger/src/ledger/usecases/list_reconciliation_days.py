"""How each day's statement compared with the books, newest first."""

from datetime import date

from ledger.domain.bank_day import BankDay
from ledger.ports import Tx


async def list_reconciliation_days(tx: Tx, *, before: date | None, limit: int) -> list[BankDay]:
    """Days whose statement is complete."""
    await tx.at_one_moment()
    return await tx.bank_statements.days(before=before, limit=limit)
