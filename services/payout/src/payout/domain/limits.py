"""How much may be paid out at once and in a day. None means that there is no such limit."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from kernel.business_day import business_day, day_bounds
from kernel.money import ZERO
from kernel.refusals import FieldError, Invalid, Refusal

POINTER: Final = "/amount"


class BelowMinimum(Invalid):
    """Less than the smallest payout."""

    code = "amount_below_minimum"
    pt = "O valor é menor que o mínimo para repasse."
    en = "The amount is below the smallest payout."

    def __init__(self, minimum: Decimal) -> None:
        error = FieldError(pointer=POINTER, code=self.code, detail=f">= {minimum}")
        super().__init__(f">= {minimum}", errors=[error])


class AboveMaximum(Invalid):
    """More than the largest payout."""

    code = "amount_above_maximum"
    pt = "O valor é maior que o máximo para um repasse."
    en = "The amount is above the largest payout."

    def __init__(self, maximum: Decimal) -> None:
        error = FieldError(pointer=POINTER, code=self.code, detail=f"<= {maximum}")
        super().__init__(f"<= {maximum}", errors=[error])


class PayoutLimitReached(Refusal):
    """A day's limit leaves no room for this payout. `which` limit is the code of its one field error.

    Not final: a payout that fails gives its place back, and tomorrow is another day.
    """

    code = "payout_limit_reached"
    final = False
    pt = "Este repasse passa de um limite diário. Tente um valor menor ou volte amanhã."
    en = "This payout exceeds a daily limit. Try a smaller amount, or come back tomorrow."

    def __init__(self, which: str, *, bound: str, now: datetime) -> None:
        _, tomorrow = day_bounds(business_day(now))
        error = FieldError(pointer=POINTER, code=which, detail=bound)
        super().__init__(which, errors=[error], retry_after_s=int((tomorrow - now).total_seconds()) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was asked for in a São Paulo day and has not failed."""

    count: int = 0
    amount: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLimit:
    """The most payouts of a São Paulo day, and their sum in BRL."""

    count: int | None = None
    amount: Decimal | None = None

    @property
    def bounded(self) -> bool:
        """Whether there is anything to count."""
        return (self.count, self.amount) != (None, None)

    def exceeded_by(self, amount: Decimal, *, used: Usage) -> str | None:
        """ "count" or "sum", whichever one more payout of `amount` would exceed."""
        if self.count is not None and used.count >= self.count:
            return "count"
        if self.amount is not None and used.amount + amount > self.amount:
            return "sum"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one payout (BRL), of a driver's day and of the whole platform's day."""

    minimum: Decimal = Decimal("1.00")
    maximum: Decimal | None = None
    driver: DayLimit = field(default_factory=DayLimit)
    platform: DayLimit = field(default_factory=DayLimit)

    def check_amount(self, amount: Decimal) -> None:
        """BelowMinimum, AboveMaximum."""
        if amount < self.minimum:
            raise BelowMinimum(self.minimum)
        if self.maximum is not None and amount > self.maximum:
            raise AboveMaximum(self.maximum)

    def check_driver(self, amount: Decimal, *, used: Usage, now: datetime) -> None:
        """PayoutLimitReached when the driver's day has no room for `amount`."""
        exceeded = self.driver.exceeded_by(amount, used=used)
        if exceeded is not None:
            bound = self.driver.count if exceeded == "count" else self.driver.amount
            raise PayoutLimitReached(f"driver_day_{exceeded}", bound=f"<= {bound}", now=now)

    def check_platform(self, amount: Decimal, *, used: Usage, now: datetime) -> None:
        """PayoutLimitReached when the platform's day has no room; how much that is concerns no driver."""
        exceeded = self.platform.exceeded_by(amount, used=used)
        if exceeded is not None:
            raise PayoutLimitReached(f"platform_day_{exceeded}", bound="platform", now=now)
