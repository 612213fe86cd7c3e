"""Look at what did not match again, and open cases for what still does not."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from contracts.payment import StatementClosed
from kernel.money import ZERO
from ledger.domain.bank_balance import balance_difference, known_gap
from ledger.domain.cases import Case, Difference, line_case
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


async def recheck_statements(
    tx: Tx,
    *,
    grace_s: float,
    new_id: Callable[[], UUID],
    now: datetime,
    balance_s: float = 0.0,
    flight_s: float = 0.0,
) -> int:
    """How many cases were opened: for lines and complete statements that arrived more than `grace_s` ago.

    The bank's balance is judged once the statement is `balance_s` old, by then what was under way has been booked;
    what occurred within `flight_s` of its moment may have been counted by the bank on the other side of it.
    """
    before = now - timedelta(seconds=grace_s)
    await tx.bank_statements.lock()
    cases: list[Case] = []
    for waiting in await tx.bank_statements.unmatched_lines():
        cases += await _line_cases(tx, waiting, before=before, new_id=new_id, now=now)
    opened = [await open_case(tx, case=case) for case in cases]
    for closed in await tx.bank_statements.due(received_before=before):
        opened += [await open_case(tx, case=c) for c in await _day_cases(tx, closed, new_id=new_id, now=now)]
    balances = await tx.bank_statements.balances_due(received_before=now - timedelta(seconds=balance_s))
    for closed in balances:
        drifted = await _drifted(tx, closed, flight_s=flight_s, case_id=new_id(), now=now)
        opened += [await open_case(tx, case=case) for case in drifted]
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
        line_case(
            difference_of(line, candidates),
            line,
            reference=reference_of(line),
            external_id=f"statement:{line.line_id}",
            case_id=new_id(),
            now=now,
            journal_id=candidates[0].journal_id if candidates else None,
        )
    ]


async def _day_cases(
    tx: Tx, closed: StatementClosed, *, new_id: Callable[[], UUID], now: datetime
) -> list[Case]:
    day = date.fromisoformat(closed.day)
    contested = await tx.bank_statements.contested(day)
    sums = await tx.bank_statements.sums(closed)
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
        for difference in day_differences(closed, sums)
    ]
    await tx.bank_statements.checked(day, now=now)
    return cases


async def _drifted(
    tx: Tx, closed: StatementClosed, *, flight_s: float, case_id: UUID, now: datetime
) -> list[Case]:
    day = date.fromisoformat(closed.day)
    booked = await tx.bank_statements.booked_balance(closed, flight_s=flight_s)
    known = known_gap(await tx.bank_statements.judged_before(day))
    difference = balance_difference(closed, booked, known=known)
    assert closed.balance is not None, "only balances that were told are due"
    await tx.bank_statements.judge(day, apart=closed.balance - booked.amount, gap=booked.gap(closed.balance))
    return [] if difference is None else [_whole_day_case(difference, day, case_id=case_id, now=now)]


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
