"""The bank's balance beside the booked one: how far apart they may be, and when they have drifted.

Nobody can ask the bank and the books at the same moment. A movement of the minutes around the bank's answer may be
counted on one side already and not yet on the other, so one answer tells what the account holds beyond the books
only from some amount to some other. That amount is the same at every answer: when no amount fits all of them any
more, money has moved on one side alone (ADR 0030).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from contracts.payment import StatementClosed
from ledger.domain.cases import CaseKind, Difference, Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Any amount from `low` to `high`, in BRL."""

    low: Decimal
    high: Decimal

    def meet(self, other: "Span") -> "Span | None":
        """The amounts in both; None when there are none."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Span(low=low, high=high) if low <= high else None

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedBalance:
    """BANCO_CORRENTE by occurred time at the moment of the bank's balance.

    `flight` is how much more the bank may have counted: of what occurred shortly before the moment maybe nothing
    yet, of what occurred shortly after it maybe all.
    """

    amount: Decimal
    flight: Span

    def gap(self, balance: Decimal) -> Span:
        """What the account may hold beyond the books."""
        apart = balance - self.amount
        return Span(low=apart - self.flight.high, high=apart - self.flight.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBalance:
    """An earlier balance: its gap, whether it opened a case, and how somebody resolved that."""

    gap: Span
    opened: bool = False
    resolution: Resolution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the account holds beyond the books; `told` are gaps of which a case that is still open tells."""

    gap: Span | None = None
    told: tuple[Span, ...] = ()


def known_gap(earlier: Iterable[JudgedBalance]) -> Known:
    """What the earlier balances, oldest first, leave possible.

    A gap that opened a case becomes what is known only when somebody said so: explained, or written off. Corrected
    by a journal, it counts for nothing, for the next gap is the old one again. What comes after a correction and
    is not the old gap is news, however well it fits the night that was corrected.
    """
    known, told = None, list[Span]()
    for balance in earlier:
        if not balance.opened:
            known = balance.gap if known is None else known.meet(balance.gap) or known
        elif balance.resolution is None:
            told.append(balance.gap)
        elif balance.resolution is not Resolution.CORRECTED_BY_JOURNAL:
            known = balance.gap
    return Known(gap=known, told=tuple(told))


def balance_difference(closed: StatementClosed, booked: BookedBalance, *, known: Known) -> Difference | None:
    """That the balances drifted since the earlier ones, which told of `known`.

    The first gap is what the account held before the books began: shown, and no news.
    """
    assert closed.balance is not None, "the bank told one"
    gap = booked.gap(closed.balance)
    if known.gap is None or any(span.meet(gap) for span in (known.gap, *known.told)):
        return None
    detail = (
        f"Efí's balance is {closed.balance}, booked {booked.amount}: {gap} apart; before it was {known.gap}"
    )
    return Difference(kind=CaseKind.BALANCE_DIFFERS, detail=detail)
