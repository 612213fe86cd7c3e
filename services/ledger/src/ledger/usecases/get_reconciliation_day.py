"""How one day's statement compared with the books."""

from datetime import date

from kernel.refusals import NotFound
from ledger.domain.bank_day import BankDay
from ledger.ports import Tx


async def get_reconciliation_day(tx: Tx, *, day: date) -> BankDay:
    """NotFound until its statement is complete."""
    await tx.at_one_moment()
    found = await tx.bank_statements.day(day)
    if found is None:
        raise NotFound(day.isoformat())
    return found
