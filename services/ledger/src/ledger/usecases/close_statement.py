"""Note that a day's statement is complete."""

from datetime import date, datetime

from contracts.payment import StatementClosed
from ledger.ports import Tx
from ledger.usecases.match_statement_line import match_statement_line


async def close_statement(tx: Tx, *, closed: StatementClosed, now: datetime) -> int:
    """How many of its lines have no entry yet. What stays different is looked at again before a case is opened.

    A statement of a day under way only shows how it stands: the day as a whole is judged by its own.
    """
    await tx.bank_statements.keep_closed(closed, now=now)
    lines = await tx.bank_statements.unmatched_lines(day=date.fromisoformat(closed.day))
    matched = [await match_statement_line(tx, line=waiting.line, now=now) for waiting in lines]
    return matched.count(False)
