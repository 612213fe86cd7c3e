"""Payments that were once posted in three journals are refunded and reversed as before."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_books import completed, confirmed, ready, refunded
from ledger_fakes import FakeBooks
from ledger_three_journals import PARTS, refund_in_three, settlement_in_three

from contracts.payment import PaymentConfirmed
from kernel.money import ZERO, money
from ledger.domain.chart import CHART, Classification
from ledger.domain.instruction import Contradiction
from ledger.domain.journal import Journal, Line
from ledger.domain.payout import completion, hold
from ledger.domain.refund import refund
from ledger.domain.reversal import AlreadyReversed, reversal
from ledger.domain.settlement import settlement

CODES = [account.code for account in CHART if account.classification is Classification.DETAIL]


def accounts(books: FakeBooks) -> dict[str, Decimal]:
    return {code: books.account(code) for code in CODES}


def lines(journal: Journal) -> list[Line]:
    """Without the originals, whose ids are other ones in other books."""
    return [line._replace(reverses=None) for line in journal.draft.lines]


def undo(books: FakeBooks, name: str) -> None:
    [journal] = [one for one in books.journals if one.draft.transaction_id == name]
    books.post(reversal(journal, reason="wrong"))


def of_both_forms(paid: PaymentConfirmed) -> tuple[FakeBooks, FakeBooks]:
    """The same payment in one journal and in three."""
    now, once = FakeBooks(), FakeBooks()
    now.post(settlement(paid))
    once.post(settlement_in_three(paid))
    assert (len(now.journals), len(once.journals)) == (1, 3)
    assert accounts(now) == accounts(once)
    return now, once


@given(
    fare=st.integers(1, 10_000),
    kept=st.integers(0, 100),
    sent=st.integers(0, 100),
    shares=st.lists(st.integers(1, 100), min_size=1, max_size=4),
)
def test_a_payment_of_three_journals_gives_back_exactly_what_one_of_one_journal_does(
    fare: int, kept: int, sent: int, shares: list[int]
) -> None:
    """Whatever the commission, what was paid out before, and the parts, which add up to the whole."""
    amount, commission = money(fare) / 100, money(fare * kept // 100) / 100
    paid = confirmed(f"{amount:.2f}", commission=f"{commission:.2f}")
    now, once = of_both_forms(paid)
    spent = money(int((amount - commission) * 100) * sent // 100) / 100
    if spent > ZERO:
        payout = ready(f"{spent:.2f}", driver_id=paid.driver_id)
        for books in (now, once):
            books.post(hold(payout), completion(completed(payout)))
    total = ZERO
    for n in range(1, len(shares) + 1):
        before, total = total, money(fare * sum(shares[:n]) // sum(shares)) / 100
        if total == before:
            continue
        part = refunded(paid, f"{total - before:.2f}", total=f"{total:.2f}")
        for books in (now, once):
            books.post(refund(part))
        assert lines(now.journals[-1]) == lines(once.journals[-1])
        assert now.journals[-1].draft.transaction_id == once.journals[-1].draft.transaction_id
        assert accounts(now) == accounts(once)
        assert now.balance(paid.driver_id) == once.balance(paid.driver_id)
    assert total == amount
    assert {now.account(code) for code in ("1300", "4100", "4200")} == {ZERO}
    assert now.account("1100") == -spent
    with pytest.raises(Contradiction):
        once.post(refund(refunded(paid, "0.01", total=f"{amount + 1:.2f}")))


def test_a_refund_in_full_names_each_entry_of_the_three_journals_once() -> None:
    books, paid = FakeBooks(), confirmed("50.00", commission="10.00")
    books.post(settlement_in_three(paid))
    originals = {entry.id: entry.line for journal in books.journals for entry in journal.entries}
    giving_back = refunded(paid, "50.00")
    books.post(refund(giving_back))

    [journal] = books.journals[3:]
    assert journal.draft.transaction_id == f"refund_{giving_back.refund_id}"
    undone = {line.reverses: line for line in journal.draft.lines}
    assert undone.keys() == originals.keys()
    for entry_id, original in originals.items():
        line = undone[entry_id]
        assert (line.account_code, line.amount) == (original.account_code, original.amount)
        assert line.entry_type is not original.entry_type
    for part in PARTS:
        with pytest.raises(AlreadyReversed):
            undo(books, f"{part}_{paid.payment_id}")


@pytest.mark.parametrize("part", PARTS)
def test_a_refund_waits_for_someone_when_one_of_the_three_was_reversed_by_hand(part: str) -> None:
    books, paid = FakeBooks(), confirmed("100.00", commission="20.00")
    books.post(settlement_in_three(paid))
    undo(books, f"{part}_{paid.payment_id}")
    before = accounts(books)
    with pytest.raises(Contradiction, match="reversed by hand"):
        books.post(refund(refunded(paid, "10.00")))
    assert accounts(books) == before


def test_a_refund_that_was_posted_in_three_journals_counts_towards_the_next() -> None:
    """What was rounded in the first is made good by the second, as if both were posted as they are now."""
    paid = confirmed("10.00", commission="3.33")
    now, once = of_both_forms(paid)
    first = refunded(paid, "3.34", total="3.34")
    now.post(refund(first))
    from_driver = paid.amount - paid.commission - now.balance(paid.driver_id).available
    from_commission = first.amount - from_driver
    once.post(refund_in_three(first, commission=str(from_commission), earned=str(from_driver)))
    assert (len(now.journals), len(once.journals)) == (2, 6)
    assert accounts(now) == accounts(once)

    rest = refunded(paid, "6.66", total="10.00")
    for books in (now, once):
        books.post(refund(rest))
    assert lines(now.journals[-1]) == lines(once.journals[-1])
    assert set(accounts(once).values()) == {ZERO}
    with pytest.raises(Contradiction):
        once.post(refund(refunded(paid, "0.01", total="10.01")))
