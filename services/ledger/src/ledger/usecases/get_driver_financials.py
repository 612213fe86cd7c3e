"""A driver's balance, earnings and last payout."""

from datetime import datetime
from uuid import UUID

from ledger.domain.driver_balance import DriverBalance
from ledger.domain.earnings import Earnings
from ledger.domain.period import periods_of
from ledger.ports import Tx


async def get_driver_financials(tx: Tx, *, driver_id: UUID, now: datetime) -> tuple[DriverBalance, Earnings]:
    """Today, this ISO week and this month in São Paulo, all of one moment; zeros without postings."""
    await tx.at_one_moment()
    balance = await tx.balances.of_driver(driver_id)
    return balance, await tx.journals.earnings(driver_id, periods=periods_of(now))
