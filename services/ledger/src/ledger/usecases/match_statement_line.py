"""Match a line of Efí's statement against the bank account's entries."""

from datetime import datetime

from contracts.payment import StatementLine
from ledger.domain.statement import check_same_line, choose
from ledger.ports import Tx


async def match_statement_line(tx: Tx, *, line: StatementLine, now: datetime) -> bool:
    """Keep the line, and whether an entry was found for it that no other line speaks for. Nothing is edited.

    Without one it waits: what it speaks of may be posted a little later. Contradiction when it said
    something else before.
    """
    await tx.bank_statements.lock()
    check_same_line(line, await tx.bank_statements.keep_line(line, now=now))
    if await tx.bank_statements.matched(line.line_id):
        return True
    found = choose(line, await tx.bank_statements.candidates(line))
    if found:
        await tx.bank_statements.match(line, found, now=now)
    return bool(found)
