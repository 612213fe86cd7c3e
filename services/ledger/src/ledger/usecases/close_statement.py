"""Note that a day's statement is complete."""

from datetime import date, datetime

from contracts.payment import StatementClosed
from ledger.domain.statement import choose
from ledger.ports import Tx


async def close_statement(tx: Tx, *, closed: StatementClosed, now: datetime) -> int:
    """How many of its lines have no entry yet. What stays different is looked at again before a case is opened.

    A statement of a day under way only shows how it stands: the day as a whole is judged by its own.
    """
    await tx.bank_statements.keep_closed(closed, now=now)
    await tx.bank_statements.lock()
    lonely = 0
    for waiting in await tx.bank_statements.unmatched_lines(day=date.fromisoformat(closed.day)):
        found = choose(waiting.line, await tx.bank_statements.candidates(waiting.line))
        if found:
            await tx.bank_statements.match(waiting.line, found, now=now)
        lonely += not found
    return lonely
