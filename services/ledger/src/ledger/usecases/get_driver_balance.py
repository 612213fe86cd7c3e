"""What the platform owes a driver now."""

from uuid import UUID

from ledger.domain.driver_balance import DriverBalance
from ledger.ports import Tx


async def get_driver_balance(tx: Tx, *, driver_id: UUID) -> DriverBalance:
    """2100[d], 2150[d] and 1350[d] of one moment; zeros for a driver without postings."""
    return await tx.balances.of_driver(driver_id)
