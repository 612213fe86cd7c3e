"""Look at what did not match again, and open cases for what still does not."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from contracts.payment import StatementClosed
from kernel.money import ZERO
from ledger.domain.cases import Case, Difference
from ledger.domain.statement import (
    ReceivedLine,
    choose,
    day_differences,
    difference_of,
    missing_at_bank,
    reference_of,
    unexplained,
)
from ledger.ports import Tx
from ledger.usecases.open_case import open_case


async def recheck_statements(tx: Tx, *, grace_s: float, new_id: Callable[[], UUID], now: datetime) -> int:
    """How many cases were opened: for lines and complete statements that arrived more than `grace_s` ago."""
    before = now - timedelta(seconds=grace_s)
    await tx.bank_statements.lock()
    cases: list[Case] = []
    for waiting in await tx.bank_statements.unmatched_lines():
        cases += await _line_cases(tx, waiting, before=before, new_id=new_id, now=now)
    opened = [await open_case(tx, case=case) for case in cases]
    for closed in await tx.bank_statements.due(received_before=before):
        opened += [await open_case(tx, case=c) for c in await _day_cases(tx, closed, new_id=new_id, now=now)]
    return opened.count(True)


async def _line_cases(
    tx: Tx, waiting: ReceivedLine, *, before: datetime, new_id: Callable[[], UUID], now: datetime
) -> list[Case]:
    line = waiting.line
    candidates = await tx.bank_statements.candidates(line)
    found = choose(line, candidates)
    if found:
        await tx.bank_statements.match(line, found, now=now)
    if found or waiting.received_at > before:
        return []
    return [
        Case(
            id=new_id(),
            difference=difference_of(line, candidates),
            reference=reference_of(line),
            external_id=f"statement:{line.line_id}",
            amount=line.amount,
            opened_at=now,
            day=date.fromisoformat(line.day),
            line_id=line.line_id,
            journal_id=candidates[0].journal_id if candidates else None,
        )
    ]


async def _day_cases(
    tx: Tx, closed: StatementClosed, *, new_id: Callable[[], UUID], now: datetime
) -> list[Case]:
    day = date.fromisoformat(closed.day)
    contested = await tx.bank_statements.contested(day)
    sums = await tx.bank_statements.sums(closed)
    known_gap = await tx.bank_statements.last_gap(day)
    cases = [
        Case(
            id=new_id(),
            difference=missing_at_bank(entry, day=day),
            reference=entry.transaction_id,
            external_id=f"entry:{entry.id}",
            amount=entry.amount,
            opened_at=now,
            day=day,
            journal_id=entry.journal_id,
        )
        for entry in unexplained(await tx.bank_statements.entries_alone(day))
        if entry.id not in contested
    ]
    cases += [
        _whole_day_case(difference, day, case_id=new_id(), now=now)
        for difference in day_differences(closed, sums, known_gap=known_gap)
    ]
    await tx.bank_statements.checked(day, gap=sums.gap(closed), now=now)
    return cases


def _whole_day_case(difference: Difference, day: date, *, case_id: UUID, now: datetime) -> Case:
    return Case(
        id=case_id,
        difference=difference,
        reference=day.isoformat(),
        external_id=f"day:{day}:{difference.kind.value}",
        amount=ZERO,
        opened_at=now,
        day=day,
    )
