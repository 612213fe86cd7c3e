"""What there is, what is owed and what remains at the end of a day."""

from datetime import date

from ledger.domain.as_of import end_of
from ledger.domain.reports import BalanceSheet, balance_sheet
from ledger.ports import Tx


async def get_balance_sheet(tx: Tx, *, day: date) -> BalanceSheet:
    """By day of posting. Today's is what is posted so far."""
    return balance_sheet(await tx.days.turnovers(end_of(day)), day=day)
