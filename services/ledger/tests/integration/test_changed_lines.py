"""A line of the bank's statement that is told again, and better, or otherwise."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import pytest
from ledger_books import Books, confirmed, query, returned
from ledger_office import closed, consume, paid_out, received_line, statement_line

from contracts.payment import StatementLine, StatementLineKind
from kernel.business_day import business_day
from kernel.ids import new_id
from kernel.money import money
from ledger.domain.instruction import Contradiction
from ledger.usecases.get_reconciliation_day import get_reconciliation_day
from ledger.usecases.recheck_statements import recheck_statements
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock


async def state(books: Books, lines: Sequence[StatementLine], *, now: datetime, over: bool) -> None:
    day = business_day(now).isoformat()
    await consume(books, *lines, closed(lines, day=day, at=now, over=over), now=now)


async def recheck(books: Books, now: datetime) -> int:
    async with books.transaction() as tx:
        return await recheck_statements(tx, grace_s=0, new_id=new_id, now=now)


async def cases(urls: DatabaseUrls) -> list[tuple[str, str, Decimal]]:
    rows = await query(urls, "SELECT kind, reference, amount FROM reconciliation_cases ORDER BY kind, amount")
    return [(row["kind"], row["reference"], row["amount"]) for row in rows]


def with_amount(line: StatementLine, amount: str) -> StatementLine:
    return line.model_copy(update={"amount": money(amount)})


async def test_an_amount_that_changes_between_so_far_and_final_is_a_case_and_the_day_goes_on(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    first, second, third = (confirmed(amount, at=now) for amount in ("50.00", "30.00", "20.00"))
    await consume(books, first, second, third, now=now)
    lines = [received_line(paid, day=day) for paid in (first, second, third)]
    await state(books, lines[:2], now=now, over=False)

    final = [with_amount(lines[0], "51.00"), *lines[1:]]
    for _ in range(2):
        await state(books, final, now=now, over=True)

    assert await cases(urls) == [("amount_differs", first.e2e_id, Decimal("51.00"))]
    [case] = await query(urls, "SELECT detail, line_id FROM reconciliation_cases")
    assert "51.00" in case["detail"]
    assert "it said 50.00 before" in case["detail"]
    assert case["line_id"] == lines[0].line_id
    async with books.reading() as tx:
        found = await get_reconciliation_day(tx, day=business_day(now))
    assert (found.line_count, found.arrived, found.matched, found.entries_alone) == (3, 3, 3, 0)
    # The sums of the day say so too; nothing else is wrong with it.
    assert await recheck(books, now) == 1
    assert [kind for kind, _, _ in await cases(urls)] == ["amount_differs", "statement_incomplete"]


async def test_a_line_that_waits_and_changes_opens_one_case_and_blames_no_entry(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    """The books always said what the final report says: no entry is missing at the bank."""
    now = clock.now()
    paid = confirmed("51.00", at=now)
    await consume(books, paid, now=now)
    line = received_line(paid, day=business_day(now).isoformat(), amount="50.00")
    await state(books, [line], now=now, over=False)
    await state(books, [with_amount(line, "51.00")], now=now, over=True)
    await recheck(books, now)
    assert await cases(urls) == [
        ("amount_differs", paid.e2e_id, Decimal("51.00")),
        ("statement_incomplete", business_day(now).isoformat(), Decimal("0.00")),
    ]


async def test_a_line_that_becomes_another_movement_is_still_refused(books: Books, clock: FakeClock) -> None:
    now = clock.now()
    line = received_line(confirmed(at=now), day=business_day(now).isoformat())
    await consume(books, line, now=now)
    with pytest.raises(Contradiction):
        await consume(books, line.model_copy(update={"e2e_id": "E-other"}), now=now)


async def test_a_return_whose_rtr_id_is_told_later_is_one_line_and_no_case(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    paid = confirmed("50.00", commission="10.00", at=now)
    ready, done = paid_out(paid.driver_id, "20.00", at=now)
    back = returned(ready, "4.00").model_copy(update={"returned_at": now})
    await consume(books, paid, ready, done, back, now=now)
    nameless = statement_line(
        StatementLineKind.RETURN_RECEIVED,
        "4.00",
        day=day,
        at=now,
        line_id=f"return:{done.e2e_id}:d1",
        e2e_id=done.e2e_id,
        id_envio=done.id_envio,
    )
    named = nameless.model_copy(update={"return_id": back.return_id})
    others = [
        received_line(paid, day=day),
        statement_line(
            StatementLineKind.PIX_SENT, "-20.00", day=day, at=now, line_id="sent", id_envio=done.id_envio
        ),
    ]
    await state(books, [*others, nameless], now=now, over=False)
    await state(books, [*others, named], now=now, over=True)
    assert await recheck(books, now) == 0
    assert await cases(urls) == []
    [row] = await query(urls, "SELECT count(*) AS n FROM statement_lines WHERE kind = 'return_received'")
    assert row["n"] == 1
