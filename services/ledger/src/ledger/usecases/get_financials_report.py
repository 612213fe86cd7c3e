"""The platform's money, day by day."""

from datetime import date, timedelta

from ledger.domain.as_of import end_of
from ledger.domain.financial_report import FinancialReport, financial_report
from ledger.domain.reports import check_period
from ledger.ports import Tx


async def get_financials_report(tx: Tx, *, first: date, last: date) -> FinancialReport:
    """Posting days `first` to `last`, both included; InvalidPeriod."""
    check_period(first, last)
    await tx.at_one_moment()
    movements = await tx.reports.movements(first=first, last=last)
    before = await tx.days.turnovers(end_of(first - timedelta(days=1)))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return financial_report(movements, before=before, days=days)
