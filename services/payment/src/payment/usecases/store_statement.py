"""Publish a day's statement, once."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from payment.domain.statement import Movement, Statement
from payment.ports import Tx


async def store_statement(
    tx: Tx,
    *,
    day: date,
    movements: Iterable[Movement],
    now: datetime,
    balance: Decimal | None = None,
    over: bool = True,
) -> Statement | None:
    """The statement that was published; None when the day's had been published before.

    A statement of a day that is not `over` shows what there is so far: it is published, but the day's own
    statement still comes.
    """
    statement = Statement.of(movements, day=day)
    if over and not await tx.statements.claim(day, lines=len(statement.lines), now=now):
        return None
    for line in statement.lines:
        await tx.publish(line)
    await tx.publish(statement.closed(balance=balance, now=now))
    return statement
