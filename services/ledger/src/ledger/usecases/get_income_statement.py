"""What was earned and spent over some days."""

from datetime import date, timedelta

from ledger.domain.as_of import end_of
from ledger.domain.reports import IncomeStatement, InvalidPeriod, income_statement
from ledger.ports import Tx


async def get_income_statement(tx: Tx, *, first: date, last: date) -> IncomeStatement:
    """By day of posting, both days included, of any length; InvalidPeriod when it ends before it begins."""
    if last < first:
        raise InvalidPeriod
    await tx.at_one_moment()
    before = await tx.days.turnovers(end_of(first - timedelta(days=1)))
    after = await tx.days.turnovers(end_of(last))
    return income_statement(before, after, first=first, last=last)
