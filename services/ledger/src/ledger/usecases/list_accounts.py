"""The chart of accounts with what each holds now."""

from decimal import Decimal

from ledger.domain.chart import CHART, Account
from ledger.ports import Tx


async def list_accounts(tx: Tx) -> list[tuple[Account, Decimal | None]]:
    """In the chart's order; a header has no balance."""
    balances = await tx.balances.all_accounts()
    return [(account, balances.get(account.code)) for account in CHART]
