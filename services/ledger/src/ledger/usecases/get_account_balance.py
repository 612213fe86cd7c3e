"""The balance of one account."""

from decimal import Decimal

from ledger.domain.chart import detail_account
from ledger.ports import Tx


async def get_account_balance(tx: Tx, *, code: str) -> Decimal:
    """On the account's normal side, all owners together; UnknownAccount for a header or no account."""
    return await tx.balances.of_account(detail_account(code).code)
