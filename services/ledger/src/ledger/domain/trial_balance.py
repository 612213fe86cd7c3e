"""The trial balance: what all debits and all credits differ by."""

from collections.abc import Mapping
from decimal import Decimal

from contracts.ledger import EntryType
from kernel.money import ZERO
from ledger.domain.chart import account


def trial_difference(balances: Mapping[str, Decimal]) -> Decimal:
    """Debits minus credits of all accounts, from their balances on their normal sides: zero, or a bug."""
    debit_grows = {code: account(code).normal_side is EntryType.DEBIT for code in balances}
    signed = (balance if debit_grows[code] else -balance for code, balance in balances.items())
    return sum(signed, ZERO)
