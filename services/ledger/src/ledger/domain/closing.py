"""Closed days: people sign that a day's books are done. Later events are posted into an open day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from kernel.business_day import business_day
from kernel.refusals import Refusal


class DayNotOver(Refusal):
    """Only a past day is closed."""

    code = "day_not_over"
    pt = "O dia ainda não terminou."
    en = "The day is not over yet."


class DayOutOfOrder(Refusal):
    """Days are closed one after the other, each once."""

    code = "day_out_of_order"
    pt = "Os dias são fechados em ordem, um de cada vez."
    en = "Days are closed in order, one at a time."


class DayNotReconciled(Refusal):
    """The bank's statement of the day is missing or not compared yet, or cases of the day are open."""

    code = "day_not_reconciled"
    pt = "O dia ainda não foi conciliado com o banco."
    en = "The day is not reconciled with the bank yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedDay:
    """A day that someone signed for."""

    day: date
    closed_by: UUID
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DayState:
    """What decides whether a day may be closed. `statement_checked`: compared, and its cases opened."""

    last_closed: date | None
    statement_checked: bool
    bank_moved: bool
    open_cases: int


def check_closable(day: date, state: DayState, *, now: datetime) -> None:
    """DayNotOver, DayOutOfOrder or DayNotReconciled; without a bank movement no statement is needed."""
    if day >= business_day(now):
        raise DayNotOver(day.isoformat())
    if state.last_closed is not None and day != state.last_closed + timedelta(days=1):
        raise DayOutOfOrder(f"after {state.last_closed} comes {state.last_closed + timedelta(days=1)}")
    if state.open_cases or (state.bank_moved and not state.statement_checked):
        raise DayNotReconciled(f"{day}: {state.open_cases} open cases")
