"""Match a line of Efí's statement against the bank account's entries."""

from datetime import datetime
from uuid import UUID

from contracts.ledger import LedgerCaseOpened
from contracts.payment import StatementLine
from ledger.domain.statement import compare, reference_of
from ledger.ports import Case, Tx


async def match_statement_line(tx: Tx, *, line: StatementLine, case_id: UUID, now: datetime) -> bool:
    """Whether it matches; if not, a case is opened once. Nothing posted is ever edited."""
    difference = compare(line, posted=await tx.journals.bank_movements(line))
    if difference is None:
        return True
    case = Case(
        id=case_id,
        difference=difference,
        reference=reference_of(line),
        external_id=f"statement:{line.line_id}",
        amount=line.amount,
        opened_at=now,
    )
    if await tx.cases.open(case):
        await tx.publish(
            LedgerCaseOpened(
                case_id=case.id,
                kind=difference.kind,
                reference=case.reference,
                amount=case.amount,
                detail=difference.detail,
                opened_at=now,
            )
        )
    return False
