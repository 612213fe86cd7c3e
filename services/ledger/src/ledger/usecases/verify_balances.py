"""Add up all entries, and compare them with the balances that are kept."""

from dataclasses import dataclass
from decimal import Decimal

from ledger.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceVerdict:
    """`difference`: all debits minus all credits. `wrong_accounts`: codes whose balance is not their entries' sum."""

    difference: Decimal
    wrong_accounts: tuple[str, ...]

    @property
    def faults(self) -> int:
        """How much is wrong: 0 in sound books."""
        return len(self.wrong_accounts) + (self.difference != 0)


async def verify_balances(tx: Tx) -> BalanceVerdict:
    """In a transaction of one moment: entries and balances change together."""
    return BalanceVerdict(
        difference=await tx.balances.entries_difference(),
        wrong_accounts=tuple(await tx.balances.wrong_accounts()),
    )
