"""A driver's statement of some days."""

from datetime import date, timedelta
from uuid import UUID

from ledger.domain.as_of import end_of
from ledger.domain.chart import DRIVER_PAYABLE, DRIVER_RECEIVABLE, PAYOUT_IN_TRANSIT
from ledger.domain.driver_statement import DriverStatement, Money, driver_statement
from ledger.domain.reports import check_period
from ledger.ports import Tx
from ledger.usecases.get_account_balance import get_account_balance


async def get_driver_statement(tx: Tx, *, driver_id: UUID, first: date, last: date) -> DriverStatement:
    """Posting days `first` to `last`, both included, all of one moment; InvalidPeriod."""
    check_period(first, last)
    await tx.at_one_moment()
    before = end_of(first - timedelta(days=1))
    available, on_hold, receivable = [
        await get_account_balance(tx, code=code, owner_id=driver_id, as_of=before)
        for code in (DRIVER_PAYABLE, PAYOUT_IN_TRANSIT, DRIVER_RECEIVABLE)
    ]
    return driver_statement(
        await tx.reports.driver_postings(driver_id, first=first, last=last),
        opening=Money(available=available, on_hold=on_hold, receivable=receivable),
        driver_id=driver_id,
        first=first,
        last=last,
    )
