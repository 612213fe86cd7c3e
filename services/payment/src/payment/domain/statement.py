"""What the bank says happened on our account on one day, line by line, for the ledger to match."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from contracts.payment import StatementLine, StatementLineKind
from kernel.business_day import business_day, day_bounds

# Efí books a Pix within seconds; by then everything of the day is on it.
READY_AFTER: Final = timedelta(minutes=30)


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


def due_day(now: datetime) -> date:
    """The last São Paulo day whose statement is complete."""
    return business_day(now - READY_AFTER) - timedelta(days=1)


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
        occurred_at=movement.occurred_at,
    )
