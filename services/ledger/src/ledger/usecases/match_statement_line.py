"""Match a line of Efí's statement against the bank account's entries."""

from datetime import datetime
from uuid import UUID

from contracts.payment import StatementLine
from ledger.domain.cases import line_case
from ledger.domain.statement import changed_line, choose, reference_of
from ledger.ports import Tx
from ledger.usecases.open_case import open_case


async def match_statement_line(tx: Tx, *, line: StatementLine, case_id: UUID, now: datetime) -> bool:
    """Keep the line, and whether an entry was found for it that no other line speaks for. Nothing is edited.

    Without one it waits: what it speaks of may be posted a little later. A line that says another amount than
    before opens a case, and what it said first is what is matched. Contradiction when it speaks of something else.
    """
    await tx.bank_statements.lock()
    kept = await tx.bank_statements.keep_line(line, now=now)
    difference = changed_line(line, kept)
    if difference is not None:
        case = line_case(
            difference,
            line,
            reference=reference_of(kept),
            external_id=f"statement:{line.line_id}:{line.amount}",
            case_id=case_id,
            now=now,
        )
        await open_case(tx, case=case)
    if await tx.bank_statements.matched(line.line_id):
        return True
    found = choose(kept, await tx.bank_statements.candidates(kept))
    if found:
        await tx.bank_statements.match(kept, found, now=now)
    return bool(found)
