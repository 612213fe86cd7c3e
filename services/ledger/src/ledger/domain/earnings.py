"""What a driver earned in the periods that end today, and their last payout."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kernel.money import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPayout:
    """The newest payout that reached the driver."""

    payout_id: str
    amount: Decimal
    completed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings:
    """The driver's part of confirmed payments less that of refunds, by business day of posting."""

    today: Decimal = ZERO
    week: Decimal = ZERO
    month: Decimal = ZERO
    rides_today: int = 0
    last_payout: LastPayout | None = None
