"""The platform's money of each day, all of it read from the books."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, Final

from contracts.ledger import EntryType
from kernel.money import ZERO
from ledger.domain.as_of import Turnover
from ledger.domain.chart import (
    ABSORBED_REFUNDS,
    BANK,
    COMMISSION,
    DRIVER_PAYABLE,
    DRIVER_RECEIVABLE,
    PASSENGER_CREDIT,
    PAYOUT_IN_TRANSIT,
    PIX_FEES,
    RIDE_REVENUE,
    UNIDENTIFIED_PIX,
)
from ledger.domain.credit_refund import CREDIT_REFUNDED
from ledger.domain.payout import COMPLETED, RETURNED
from ledger.domain.refund import REFUNDED
from ledger.domain.settlement import CONFIRMED

POSITIONS: Final = (
    BANK,
    DRIVER_PAYABLE,
    PAYOUT_IN_TRANSIT,
    PASSENGER_CREDIT,
    UNIDENTIFIED_PIX,
    DRIVER_RECEIVABLE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """All entries of one day, account, event and side. A reversal counts as its original's event, `undone`."""

    day: date
    code: str
    event_type: str
    side: EntryType
    undone: bool
    amount: Decimal
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMoney:
    """Flows of a day (or of several). What was reversed is taken off on the day of its reversal."""

    rides_paid: int = 0
    gross_revenue: Decimal = ZERO
    commission: Decimal = ZERO
    drivers_part: Decimal = ZERO
    fees: Decimal = ZERO
    refunds: Decimal = ZERO
    refunds_of_commission: Decimal = ZERO
    refunds_of_drivers_part: Decimal = ZERO
    refunds_borne: Decimal = ZERO
    credits_refunded: Decimal = ZERO
    payouts_completed: Decimal = ZERO
    payouts_completed_count: int = 0
    payouts_returned: Decimal = ZERO
    payouts_returned_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDay:
    """One day's flows, and the accounts of POSITIONS at its end, by code."""

    day: date
    money: DayMoney
    closing: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinancialReport:
    """`first` to `last`, both included. `opening` holds the accounts of POSITIONS before it, by code."""

    first: date
    last: date
    opening: Mapping[str, Decimal]
    days: tuple[ReportDay, ...]
    total: DayMoney


def financial_report(
    movements: Sequence[Movement], *, before: Mapping[str, Turnover], days: Sequence[date]
) -> FinancialReport:
    """The report of `days` (in order) from their movements and the sums before the first of them."""
    opening = {code: before.get(code, Turnover()).balance(code) for code in POSITIONS}
    reported: list[ReportDay] = []
    closing = opening
    for day in days:
        todays = [movement for movement in movements if movement.day == day]
        closing = {code: balance + _net(todays, code) for code, balance in closing.items()}
        reported.append(ReportDay(day=day, money=_money_of(todays), closing=closing))
    return FinancialReport(
        first=days[0],
        last=days[-1],
        opening=opening,
        days=tuple(reported),
        total=_sum(one.money for one in reported),
    )


def _money_of(movements: Sequence[Movement]) -> DayMoney:
    credit, debit = EntryType.CREDIT, EntryType.DEBIT
    drivers_refunded = _flow(movements, DRIVER_PAYABLE, REFUNDED, debit)
    return DayMoney(
        rides_paid=_count(movements, RIDE_REVENUE, CONFIRMED, credit),
        gross_revenue=_flow(movements, RIDE_REVENUE, CONFIRMED, credit),
        commission=_flow(movements, COMMISSION, CONFIRMED, credit),
        drivers_part=_flow(movements, DRIVER_PAYABLE, CONFIRMED, credit)
        - _undone(movements, DRIVER_RECEIVABLE, CONFIRMED, debit),
        fees=_net(movements, PIX_FEES),
        refunds=_flow(movements, RIDE_REVENUE, REFUNDED, debit),
        refunds_of_commission=_flow(movements, COMMISSION, REFUNDED, debit),
        refunds_of_drivers_part=drivers_refunded + _flow(movements, DRIVER_RECEIVABLE, REFUNDED, debit),
        refunds_borne=_net(movements, ABSORBED_REFUNDS),
        credits_refunded=_flow(movements, BANK, CREDIT_REFUNDED, credit),
        payouts_completed=_flow(movements, BANK, COMPLETED, credit),
        payouts_completed_count=_count(movements, BANK, COMPLETED, credit),
        payouts_returned=_flow(movements, BANK, RETURNED, debit),
        payouts_returned_count=_count(movements, BANK, RETURNED, debit),
    )


def _flow(movements: Iterable[Movement], code: str, event_type: str, side: EntryType) -> Decimal:
    """What moved on that side, less what reversals took back from it."""
    signed = (-m.amount if m.undone else m.amount for m in _of(movements, code, event_type, side))
    return sum(signed, ZERO)


def _undone(movements: Iterable[Movement], code: str, event_type: str, side: EntryType) -> Decimal:
    """What reversals posted on that side: a debt that stands for what could not be taken back."""
    return sum((m.amount for m in movements if _is(m, code, event_type, side) and m.undone), ZERO)


def _count(movements: Iterable[Movement], code: str, event_type: str, side: EntryType) -> int:
    return sum(m.entries for m in movements if _is(m, code, event_type, side) and not m.undone)


def _of(movements: Iterable[Movement], code: str, event_type: str, side: EntryType) -> list[Movement]:
    """Entries on `side`, and their reversals on the other."""
    named = [m for m in movements if (m.code, m.event_type) == (code, event_type)]
    return [m for m in named if (m.side is side) is not m.undone]


def _is(movement: Movement, code: str, event_type: str, side: EntryType) -> bool:
    return (movement.code, movement.event_type, movement.side) == (code, event_type, side)


def _net(movements: Iterable[Movement], code: str) -> Decimal:
    """The change of the account's balance."""
    own = [m for m in movements if m.code == code]
    turnover = Turnover(
        debits=sum((m.amount for m in own if m.side is EntryType.DEBIT), ZERO),
        credits=sum((m.amount for m in own if m.side is EntryType.CREDIT), ZERO),
    )
    return turnover.balance(code)


def _sum(parts: Iterable[DayMoney]) -> DayMoney:
    kept = list(parts)
    none = DayMoney()
    totals: dict[str, Any] = {
        f.name: sum((getattr(part, f.name) for part in kept), getattr(none, f.name)) for f in fields(DayMoney)
    }
    return DayMoney(**totals)
