"""Publish a day's statement, once."""

from collections.abc import Iterable
from datetime import date, datetime

from payment.domain.statement import Movement, line_of
from payment.ports import Tx


async def store_statement(tx: Tx, *, day: date, movements: Iterable[Movement], now: datetime) -> int | None:
    """How many lines were published; None when the day's statement had been published before."""
    lines = [line for movement in movements if (line := line_of(movement, day=day)) is not None]
    if not await tx.statements.claim(day, lines=len(lines), now=now):
        return None
    for line in lines:
        await tx.publish(line)
    return len(lines)
