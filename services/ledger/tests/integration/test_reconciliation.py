"""Three-way matching: Efí's statement, BANCO_CORRENTE, and the journals of payments and payouts."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from ledger_books import Books, confirmed, mismatch, of_type, query, refunded, returned
from ledger_office import (
    admin,
    capital,
    closed,
    consume,
    credit_refunded,
    paid_out,
    post_manual,
    received_line,
    refund_failed,
    sent_line,
    statement_line,
)

from contracts.audit import AuditRecorded
from contracts.ledger import LedgerCaseOpened, LedgerCaseResolved
from contracts.payment import ClaimKind, MismatchKind, PaymentClaimRejected, StatementLineKind
from contracts.payout import PayoutContradicted
from kernel.business_day import business_day, day_bounds
from kernel.ids import new_id
from kernel.money import money
from ledger.domain.cases import CaseAlreadyResolved, CaseKind, CorrectionNotNamed, Resolution
from ledger.usecases.get_reconciliation_day import get_reconciliation_day
from ledger.usecases.recheck_statements import recheck_statements
from ledger.usecases.resolve_case import resolve_case
from ledger.usecases.reverse_transaction import reverse_transaction
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.outbox import published

GRACE_S = 600.0


async def recheck(books: Books, now: datetime, *, grace_s: float = 0.0) -> int:
    async with books.transaction() as tx:
        return await recheck_statements(tx, grace_s=grace_s, new_id=new_id, now=now)


async def cases(urls: DatabaseUrls) -> dict[str, list[Decimal]]:
    found: dict[str, list[Decimal]] = {}
    for row in await query(urls, "SELECT kind, amount FROM reconciliation_cases ORDER BY amount"):
        found.setdefault(row["kind"], []).append(row["amount"])
    return found


async def test_a_day_that_agrees_opens_no_case(books: Books, urls: DatabaseUrls, clock: FakeClock) -> None:
    """Every kind of line, a surplus that is posted apart, fees, a refund, a return, a returned credit."""
    now = clock.now()
    day = business_day(now).isoformat()
    paid = confirmed("50.00", commission="10.00", fee="0.50", at=now)
    surplus = mismatch("5.00", passenger_id=new_id(), kind=MismatchKind.SURPLUS).model_copy(
        update={"e2e_id": paid.e2e_id, "external_id": f"{paid.e2e_id}:surplus", "paid_at": now}
    )
    ready, done = paid_out(paid.driver_id, "20.00", at=now, fee="0.20")
    refund = refunded(paid, "10.00").model_copy(update={"refunded_at": now})
    back = returned(ready, "4.00").model_copy(update={"returned_at": now})
    given = credit_refunded(surplus, "2.00", at=now)
    await consume(books, paid, surplus, ready, done, refund, back, given, now=now)
    kinds = StatementLineKind
    lines = [
        received_line(paid, day=day, amount="55.00"),
        statement_line(kinds.FEE, "-0.50", day=day, at=now, e2e_id=paid.e2e_id),
        sent_line(done, day=day),
        statement_line(kinds.FEE, "-0.20", day=day, at=now, e2e_id=done.e2e_id, id_envio=done.id_envio),
        statement_line(
            kinds.REFUND_SENT, "-10.00", day=day, at=now, e2e_id=paid.e2e_id, return_id=refund.return_id
        ),
        statement_line(
            kinds.REFUND_SENT, "-2.00", day=day, at=now, e2e_id=paid.e2e_id, return_id=given.return_id
        ),
        statement_line(kinds.RETURN_RECEIVED, "4.00", day=day, at=now, e2e_id=done.e2e_id),
    ]
    await consume(books, *lines, *lines[:2], closed(lines, day=day, at=now, balance="126.30"), now=now)

    assert await recheck(books, now) == 0
    assert await cases(urls) == {}
    async with books.reading() as tx:
        found = await get_reconciliation_day(tx, day=business_day(now))
    assert (found.line_count, found.arrived, found.matched, found.entries_alone) == (7, 7, 7, 0)
    assert (found.booked_in, found.booked_out, found.difference) == (money("59.00"), money("-32.70"), 0)
    # The account held 100.00 before the books began: the first statement's gap is shown and is no case.
    assert (found.gap, found.checked_at, found.cases) == (money("100.00"), now, 0)


async def test_what_differs_opens_one_case_each(books: Books, urls: DatabaseUrls, clock: FakeClock) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    good, unknown_to_bank, less = (confirmed(amount, at=now) for amount in ("50.00", "30.00", "20.00"))
    await consume(books, good, unknown_to_bank, less, now=now)
    lines = [
        received_line(good, day=day),
        received_line(less, day=day, amount="19.00"),
        received_line(confirmed("7.00", at=now), day=day),
        sent_line(paid_out(new_id(), "8.00", at=now)[1], day=day),
    ]
    await consume(books, *lines, closed(lines, day=day, at=now), now=now)

    assert await recheck(books, now) == 4
    assert await recheck(books, now) == 0
    assert await cases(urls) == {
        "amount_differs": [Decimal("19.00")],
        "missing_in_ledger": [Decimal("-8.00"), Decimal("7.00")],
        "missing_at_bank": [Decimal("30.00")],
    }
    told = of_type(await published(urls), LedgerCaseOpened)
    assert sorted(fact.kind for fact in told) == [
        "amount_differs",
        "missing_at_bank",
        "missing_in_ledger",
        "missing_in_ledger",
    ]


async def test_one_journal_does_not_hide_an_extra_line_of_the_same_pix(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    paid = confirmed("50.00", at=now)
    await consume(books, paid, now=now)
    first = received_line(paid, day=day)
    second = first.model_copy(update={"line_id": "received-again"})
    await consume(books, first, second, closed([first, second], day=day, at=now), now=now)

    await recheck(books, now)
    assert await cases(urls) == {"missing_in_ledger": [Decimal("50.00")]}


async def test_a_second_equal_refund_in_the_books_is_not_hidden_by_the_first_ones_line(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    paid = confirmed("50.00", at=now)
    refunds = [
        refunded(paid, "10.00", total=total).model_copy(update={"refunded_at": now})
        for total in ("10.00", "20.00")
    ]
    await consume(books, paid, *refunds, now=now)
    lines = [
        received_line(paid, day=day),
        statement_line(
            StatementLineKind.REFUND_SENT,
            "-10.00",
            day=day,
            at=now,
            e2e_id=paid.e2e_id,
            return_id=refunds[1].return_id,
        ),
    ]
    await consume(books, *lines, closed(lines, day=day, at=now), now=now)

    await recheck(books, now)
    [case] = await query(urls, "SELECT * FROM reconciliation_cases")
    assert (case["kind"], case["reference"]) == ("missing_at_bank", f"refund_{refunds[0].refund_id}")


async def test_an_event_that_comes_after_its_line_is_found_before_a_case_is_opened(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    paid, never = confirmed("50.00", at=now), confirmed("9.00", at=now)
    lines = [received_line(paid, day=day), received_line(never, day=day)]
    await consume(books, *lines, closed(lines, day=day, at=now), now=now)
    assert await recheck(books, now, grace_s=GRACE_S) == 0

    await consume(books, paid, now=now)
    clock.advance(GRACE_S / 2)
    assert await recheck(books, clock.now(), grace_s=GRACE_S) == 0
    clock.advance(GRACE_S / 2)
    assert await recheck(books, clock.now(), grace_s=GRACE_S) == 1
    assert await cases(urls) == {"missing_in_ledger": [Decimal("9.00")]}


async def test_a_day_is_the_one_on_which_it_occurred_and_a_match_may_cross_midnight(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    """Efí booked a payout just before midnight, we learned of it just after: nothing is missing on either day."""
    now = clock.now()
    today, tomorrow = business_day(now), business_day(now) + timedelta(days=1)
    paid = confirmed("50.00", at=now)
    ready, done = paid_out(paid.driver_id, "20.00", at=now)
    late = done.model_copy(update={"completed_at": now + timedelta(days=1)})
    await consume(books, paid, ready, late, now=now)
    lines = [received_line(paid, day=today.isoformat()), sent_line(done, day=today.isoformat())]
    await consume(books, *lines, closed(lines, day=today.isoformat(), at=now), now=now)
    await consume(books, closed([], day=tomorrow.isoformat(), at=now), now=now)

    assert await recheck(books, now) == 0


async def test_what_was_reversed_never_was_at_the_bank(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    wrong = await post_manual(books, *capital(), now=now)
    right = confirmed("50.00", at=now)
    await consume(books, right, now=now)
    async with books.transaction() as tx:
        await reverse_transaction(tx, transaction_id=wrong, reason="typo", actor=admin(), now=now)
        settled = f"payment_{right.payment_id}"
        await reverse_transaction(tx, transaction_id=settled, reason="wrong", actor=admin(), now=now)
    lines = [received_line(right, day=day)]
    await consume(books, *lines, closed(lines, day=day, at=now), now=now)

    await recheck(books, now)
    [case] = await query(urls, "SELECT * FROM reconciliation_cases")
    assert (case["kind"], case["reference"]) == ("missing_at_bank", f"{settled}_reversal")


async def test_a_manual_journal_that_names_the_line_speaks_for_it(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    await post_manual(books, *capital(), now=now, reference_number="E-capital")
    line = statement_line(StatementLineKind.PIX_RECEIVED, "1000.00", day=day, at=now, e2e_id="E-capital")
    await consume(books, line, closed([line], day=day, at=now), now=now)
    assert await recheck(books, now) == 0


async def test_a_statement_that_lost_a_line_or_changed_its_mind_is_told(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    paid = confirmed("50.00", at=now)
    await consume(books, paid, now=now)
    line, lost = received_line(paid, day=day), received_line(confirmed("3.00", at=now), day=day)
    await consume(books, line, closed([line, lost], day=day, at=now), now=now)
    assert await recheck(books, now) == 1
    assert list(await cases(urls)) == ["statement_incomplete"]
    await consume(books, line.model_copy(update={"amount": money("51.00")}), now=now)
    assert list(await cases(urls)) == ["statement_incomplete", "amount_differs"]


async def test_a_balance_that_drifts_is_a_case_and_one_that_stays_apart_is_not(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    for balance, opened in (("1050.00", 0), ("1100.00", 0), ("1140.00", 1), ("1190.00", 0)):
        now = clock.now()
        day = business_day(now).isoformat()
        paid = confirmed("50.00", at=now)
        line = received_line(paid, day=day)
        await consume(books, paid, line, closed([line], day=day, at=now, balance=balance), now=now)
        assert await recheck(books, now) == opened
        clock.advance(86_400)
    assert list(await cases(urls)) == ["balance_differs"]


async def test_claims_and_contradictions_open_a_case_once(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    claims = [
        PaymentClaimRejected(kind=kind, e2e_id="E1", claimed=money("5.00"), found_at=now)
        for kind in ClaimKind
    ]
    found = PayoutContradicted(
        driver_id=new_id(),
        payout_id=new_id(),
        amount=money("8.00"),
        id_envio="x",
        known="COMPLETED",
        reported="NAO_REALIZADO",
        detail="late",
        found_at=now,
    )
    await consume(books, *claims, found, *claims, found, now=now)
    assert set(await cases(urls)) == {f"claim_{kind.value}" for kind in ClaimKind} | {"payout_contradicted"}
    assert len(of_type(await published(urls), LedgerCaseOpened)) == len(ClaimKind) + 1
    async with books.reading() as tx:
        assert await tx.cases.open_by_kind() == dict.fromkeys(
            [kind for kind in CaseKind if kind.startswith("claim_") or kind is CaseKind.PAYOUT_CONTRADICTED],
            1,
        )


async def test_each_refund_that_failed_opens_a_case_once(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    first = refund_failed("3.00", reason="valor_invalido")
    again = first.model_copy(update={"refund_id": new_id(), "amount": money("2.00")})
    await consume(books, first, again, first, now=clock.now())
    rows = await query(
        urls, "SELECT kind, reference, amount, detail FROM reconciliation_cases ORDER BY amount"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("refund_failed", str(first.payment_id), Decimal(amount), "valor_invalido")
        for amount in ("2.00", "3.00")
    ]
    told = of_type(await published(urls), LedgerCaseOpened)
    assert {fact.kind for fact in told} == {"refund_failed"}
    assert len(told) == 2
    assert await query(urls, "SELECT 1 FROM journals") == []


async def test_a_case_is_resolved_once_by_a_person_and_edits_nothing(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    line = statement_line(StatementLineKind.PIX_RECEIVED, "1000.00", day=day, at=now, e2e_id="E9")
    await consume(books, line, now=now)
    await recheck(books, now)
    [case] = await query(urls, "SELECT id FROM reconciliation_cases")
    correction = await post_manual(books, *capital(), now=now)
    before = await query(urls, "SELECT count(*) AS n FROM ledger_entries")

    async def resolve(resolution: Resolution, journal: str | None) -> Any:
        async with books.transaction() as tx:
            return await resolve_case(
                tx,
                case_id=case["id"],
                resolution=resolution,
                note="it was the owners",
                journal=journal,
                actor=admin(),
                now=now,
            )

    for wrong in ((Resolution.CORRECTED_BY_JOURNAL, None), (Resolution.EXPLAINED, correction)):
        with pytest.raises(CorrectionNotNamed):
            await resolve(*wrong)
    resolved = await resolve(Resolution.CORRECTED_BY_JOURNAL, correction)
    with pytest.raises(CaseAlreadyResolved):
        await resolve(Resolution.EXPLAINED, None)
    facts = await published(urls)
    [told] = of_type(facts, LedgerCaseResolved)
    assert (told.case_id, told.resolved_by) == (case["id"], resolved.resolved_by)
    assert "resolve_case" in {fact.action for fact in of_type(facts, AuditRecorded)}
    assert await query(urls, "SELECT count(*) AS n FROM ledger_entries") == before


async def test_a_statement_of_the_first_minutes_after_its_day_is_not_the_days_own_yet(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now)
    paid = confirmed("50.00", at=now)
    midnight = day_bounds(day)[1]
    early = closed([], day=day.isoformat(), at=midnight + timedelta(minutes=29), over=False)
    await consume(books, paid, early, now=now)
    assert await recheck(books, midnight + timedelta(minutes=29)) == 0
    line = received_line(paid, day=day.isoformat())
    later = midnight + timedelta(minutes=31)
    await consume(books, line, closed([line], day=day.isoformat(), at=later), now=later)
    assert await recheck(books, later) == 0
    async with books.reading() as tx:
        found = await get_reconciliation_day(tx, day=day)
    assert (found.entries_alone, found.checked_at) == (0, later)


async def test_a_statement_of_a_day_under_way_only_shows_how_it_stands(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    day = business_day(now).isoformat()
    first, second, late = (confirmed(amount, at=now) for amount in ("50.00", "30.00", "20.00"))
    await consume(books, first, second, now=now)
    lines = [received_line(paid, day=day) for paid in (first, second)]
    await consume(books, lines[0], closed(lines[:1], day=day, at=now, over=False), now=now)
    assert await recheck(books, now) == 0
    async with books.reading() as tx:
        found = await get_reconciliation_day(tx, day=business_day(now))
    assert (found.matched, found.entries_alone, found.checked_at) == (1, 1, None)

    await consume(books, late, *lines, closed(lines, day=day, at=now), now=now)
    await consume(books, closed(lines[:1], day=day, at=now, over=False), now=now)
    assert await recheck(books, now) == 1
    assert await cases(urls) == {"missing_at_bank": [Decimal("20.00")]}
    async with books.reading() as tx:
        found = await get_reconciliation_day(tx, day=business_day(now))
    assert (found.line_count, found.matched, found.checked_at) == (2, 2, now)
