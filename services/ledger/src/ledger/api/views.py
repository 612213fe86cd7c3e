"""What a driver sees of the books."""

from datetime import datetime
from uuid import UUID

from contracts.base import Money
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.earnings import Earnings, LastPayout
from web import View


class BalanceView(View):
    """`available` can be paid out, `on_hold` is on its way, `total` is both, `receivable` is owed back."""

    driver_id: UUID
    currency: str
    total: Money
    on_hold: Money
    available: Money
    receivable: Money
    as_of: datetime

    @classmethod
    def of(cls, balance: DriverBalance, *, now: datetime) -> "BalanceView":
        """`as_of` is the last posting that is included, or now when there is none."""
        return cls(
            driver_id=balance.driver_id,
            currency="BRL",
            total=balance.total,
            on_hold=balance.on_hold,
            available=balance.available,
            receivable=balance.receivable,
            as_of=balance.as_of or now,
        )


class LastPayoutView(View):
    """The newest payout that reached the driver."""

    payout_id: str
    amount: Money
    completed_at: datetime


class FinancialsView(View):
    """The balance and what was earned in São Paulo's day, ISO week and month."""

    driver_id: UUID
    currency: str
    total: Money
    on_hold: Money
    available: Money
    receivable: Money
    as_of: datetime
    earned_today: Money
    earned_week: Money
    earned_month: Money
    rides_today: int
    last_payout: LastPayoutView | None

    @classmethod
    def of(cls, balance: DriverBalance, earnings: Earnings, *, now: datetime) -> "FinancialsView":
        return cls(
            **BalanceView.of(balance, now=now).model_dump(),
            earned_today=earnings.today,
            earned_week=earnings.week,
            earned_month=earnings.month,
            rides_today=earnings.rides_today,
            last_payout=_last_payout(earnings.last_payout),
        )


def _last_payout(payout: LastPayout | None) -> LastPayoutView | None:
    if payout is None:
        return None
    return LastPayoutView(payout_id=payout.payout_id, amount=payout.amount, completed_at=payout.completed_at)
