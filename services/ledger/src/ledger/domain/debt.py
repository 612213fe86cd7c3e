"""What a driver owes is paid back from whatever makes their balance grow, before any of it can be paid out."""

from decimal import Decimal
from typing import Final

from kernel.money import ZERO
from ledger.domain.chart import DRIVER_PAYABLE, DRIVER_RECEIVABLE
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.journal import Line, credit, debit, without_zeros

NETTED: Final = "receivable.netted"
NETTING: Final = "Valor devido pelo motorista abatido do saldo"


def repayment(balance: DriverBalance, *, gained: Decimal) -> tuple[Line, ...]:
    """The lines that take the debt, as far as it goes, from what is `gained`; none without a debt."""
    if balance.receivable == ZERO:
        return ()
    owed = min(balance.receivable, gained)
    return without_zeros(
        debit(DRIVER_PAYABLE, owed, driver_id=balance.driver_id),
        credit(DRIVER_RECEIVABLE, owed, driver_id=balance.driver_id),
    )
