"""What the platform owes a driver, what is on its way to them, and what they owe back."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from contracts.ledger import LedgerDriverBalanceChanged
from kernel.money import ZERO
from kernel.refusals import Refusal
from ledger.domain.chart import DRIVER_PAYABLE, DRIVER_RECEIVABLE, PAYOUT_IN_TRANSIT
from ledger.domain.journal import InvalidJournal, Line


class NegativeBalance(InvalidJournal):
    """A posting would take more from a driver than they have: the rules before it were wrong."""

    code = "negative_balance"
    pt = "O lançamento deixaria o saldo negativo."
    en = "The posting would make the balance negative."


class BalanceMoved(Refusal):
    """Another transaction changed the driver's debt after a rule had looked at it: look again."""

    code = "balance_moved"
    status = 409
    final = False
    pt = "O saldo mudou durante o lançamento."
    en = "The balance changed while posting."


class DriverBalance(NamedTuple):
    """`available` is 2100[d], `on_hold` 2150[d], `receivable` 1350[d]; none is ever negative."""

    driver_id: UUID
    available: Decimal = ZERO
    on_hold: Decimal = ZERO
    receivable: Decimal = ZERO
    version: int = 0
    as_of: datetime | None = None

    @property
    def total(self) -> Decimal:
        return self.available + self.on_hold

    def after(self, lines: Iterable[Line]) -> "DriverBalance":
        """The balance once `lines` are posted; NegativeBalance when one part would fall below zero."""
        changes = {DRIVER_PAYABLE: ZERO, PAYOUT_IN_TRANSIT: ZERO, DRIVER_RECEIVABLE: ZERO}
        for line in lines:
            if line.account_code in changes and line.driver_id == self.driver_id:
                changes[line.account_code] += line.change
        moved = DriverBalance(
            self.driver_id,
            self.available + changes[DRIVER_PAYABLE],
            self.on_hold + changes[PAYOUT_IN_TRANSIT],
            self.receivable + changes[DRIVER_RECEIVABLE],
            self.version,
            self.as_of,
        )
        if min(moved.available, moved.on_hold, moved.receivable) < ZERO:
            raise NegativeBalance(f"driver {self.driver_id}")
        return moved

    def moved_on(self, *, seen: "DriverBalance", became: "DriverBalance") -> "DriverBalance":
        """This balance after what took `seen` to `became`; BalanceMoved when its debt is not what was seen."""
        if self.receivable != seen.receivable:
            raise BalanceMoved(f"driver {self.driver_id}")
        return DriverBalance(
            self.driver_id,
            self.available + became.available - seen.available,
            self.on_hold + became.on_hold - seen.on_hold,
            became.receivable,
            self.version,
            self.as_of,
        )

    def fact(self) -> LedgerDriverBalanceChanged:
        """What the rest of the system hears of it, once something was posted."""
        assert self.as_of is not None, "nothing was ever posted for this driver"
        return LedgerDriverBalanceChanged(
            driver_id=self.driver_id,
            version=self.version,
            available=self.available,
            on_hold=self.on_hold,
            total=self.total,
            receivable=self.receivable,
            as_of=self.as_of,
        )
