"""What the bank says happened on our account on one day, line by line, for the ledger to match."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, Self

from contracts.payment import StatementClosed, StatementLine, StatementLineKind
from kernel.business_day import business_day, day_bounds
from kernel.money import ZERO
from kernel.refusals import Invalid, Refusal

# Efí books a Pix within seconds; by then everything of the day is on it.
READY_AFTER: Final = timedelta(minutes=30)
CATCH_UP_DAYS: Final = 30


class StatementAlreadyPublished(Refusal):
    """The day is over and its statement is with the ledger."""

    code = "statement_already_published"
    status = 409
    pt = "O extrato deste dia já foi publicado."
    en = "The statement of this day has been published already."


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One movement of the account: positive came in, negative went out. `line_id` names it for good."""

    line_id: str
    kind: StatementLineKind
    amount: Decimal
    occurred_at: datetime
    e2e_id: str | None = None
    txid: str | None = None
    id_envio: str | None = None
    return_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """All lines of one São Paulo day, by time."""

    day: date
    lines: tuple[StatementLine, ...]

    @classmethod
    def of(cls, movements: Iterable[Movement], *, day: date) -> Self:
        """The movements of `day` among `movements`, each `line_id` once."""
        lines = {line.line_id: line for m in movements if (line := line_of(m, day=day)) is not None}
        return cls(
            day=day, lines=tuple(sorted(lines.values(), key=lambda line: (line.occurred_at, line.line_id)))
        )

    @property
    def came_in(self) -> Decimal:
        return sum((line.amount for line in self.lines if line.amount > 0), ZERO)

    @property
    def went_out(self) -> Decimal:
        return sum((line.amount for line in self.lines if line.amount < 0), ZERO)

    def closed(self, *, balance: Decimal | None, now: datetime) -> StatementClosed:
        return StatementClosed(
            day=self.day.isoformat(),
            lines=len(self.lines),
            came_in=self.came_in,
            went_out=self.went_out,
            balance=balance,
            closed_at=now,
        )


def due_day(now: datetime) -> date:
    """The last São Paulo day whose statement is complete."""
    return business_day(now - READY_AFTER) - timedelta(days=1)


def due_days(now: datetime, *, oldest: date | None, published: Collection[date]) -> list[date]:
    """The days to publish, oldest first: of the last thirty those that are not among `published`.

    None before `oldest`, the first one ever published: a person may have published a newer day by hand since.
    """
    due = due_day(now)
    if oldest is None:
        return [due]
    days = (due - timedelta(days=ago) for ago in reversed(range(CATCH_UP_DAYS)))
    return [day for day in days if day > oldest and day not in published]


def over(day: date, *, now: datetime) -> bool:
    """Whether `day`'s statement is complete. Raises Invalid for a day that has not begun."""
    if day > business_day(now):
        raise Invalid(f"{day} has not begun")
    return day <= due_day(now)


def line_of(movement: Movement, *, day: date) -> StatementLine | None:
    """The movement as a line of `day`'s statement; None when it belongs to another day."""
    start, end = day_bounds(day)
    if not start <= movement.occurred_at < end:
        return None
    return StatementLine(
        day=day.isoformat(),
        line_id=movement.line_id,
        kind=movement.kind,
        amount=movement.amount,
        e2e_id=movement.e2e_id,
        txid=movement.txid,
        id_envio=movement.id_envio,
        return_id=movement.return_id,
        occurred_at=movement.occurred_at,
    )
