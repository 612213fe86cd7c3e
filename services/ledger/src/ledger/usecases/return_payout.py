"""Post a return of a completed payout."""

from datetime import datetime

from contracts.payout import PayoutReturned
from ledger.domain.payout import giving_back
from ledger.ports import Tx


async def return_payout(tx: Tx, *, returned: PayoutReturned, now: datetime) -> None:
    """The money is in the bank and the driver's again, once per return."""
    tx.book.add(giving_back(returned), now=now)
