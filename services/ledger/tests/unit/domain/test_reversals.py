"""Undoing journals: what is left of them, and what the driver no longer has."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_books import NOW, completed, confirmed, failed, mismatch, ready, refunded, returned
from ledger_fakes import FakeBooks
from ledger_office import credit_refunded
from ledger_three_journals import PARTS, settlement_in_three

from contracts.ledger import EntryType
from contracts.payment import PaymentConfirmed
from kernel.ids import new_id
from kernel.money import ZERO, money
from ledger.domain.credit_refund import credit_refund
from ledger.domain.debt import NETTED
from ledger.domain.driver_balance import NegativeBalance
from ledger.domain.instruction import Context, Contradiction, EntityType, Instruction
from ledger.domain.journal import Draft, Journal, Line, credit, debit
from ledger.domain.manual import MANUAL, manual_entry
from ledger.domain.payout import completion, giving_back, hold, release
from ledger.domain.refund import refund
from ledger.domain.reversal import AlreadyReversed, NotReversible, reversal, reverse
from ledger.domain.settlement import settlement, suspension


def journal(books: FakeBooks, transaction_id: str) -> Journal:
    return next(j for j in books.journals if j.draft.transaction_id == transaction_id)


def undo(books: FakeBooks, transaction_id: str) -> None:
    books.post(reversal(journal(books, transaction_id), reason="wrong"))


def lines(journal: Journal) -> list[str]:
    return [f"{line.entry_type.value[0]} {line.account_code} {line.amount}" for line in journal.draft.lines]


def manual(books: FakeBooks, *lines: Line) -> str:
    transaction_id = f"manual_{new_id()}"
    draft = Draft(
        transaction_id=transaction_id,
        event_type=MANUAL,
        entity_type=EntityType.MANUAL,
        entity_id=transaction_id,
        description="Acerto",
        lines=lines,
    )
    books.post(manual_entry(draft, now=NOW))
    return transaction_id


def test_a_journal_whose_reversal_is_posted_is_not_reversed_again() -> None:
    books = FakeBooks()
    posted = journal(books, manual(books, debit("1100", money("5.00")), credit("3100", money("5.00"))))
    undo(books, posted.draft.transaction_id)
    with pytest.raises(AlreadyReversed):
        reverse(posted, context=Context(history=tuple(books.journals)), description="again")


def test_of_a_journal_that_was_given_back_in_full_nothing_is_left_to_reverse() -> None:
    books, payment = FakeBooks(), confirmed()
    books.post(settlement(payment))
    books.post(refund(refunded(payment, "50.00")))
    posted = journal(books, f"payment_{payment.payment_id}")
    with pytest.raises(AlreadyReversed):
        reverse(posted, context=Context(history=tuple(books.journals)), description="again")


@pytest.mark.parametrize(
    ("posted_as", "names"),
    [(settlement, ("payment", "fee")), (settlement_in_three, (*PARTS, "fee"))],
    ids=["in one journal", "in three, as once"],
)
@given(
    fare=st.integers(1, 10_000),
    commission=st.integers(0, 10_000),
    part=st.integers(0, 100),
    out=st.integers(0, 100),
)
def test_all_parts_of_a_partly_refunded_payment_reverse_to_nothing(
    posted_as: Callable[[PaymentConfirmed], Instruction],
    names: tuple[str, ...],
    fare: int,
    commission: int,
    part: int,
    out: int,
) -> None:
    """Whatever was refunded and paid out before: only the rest is reversed, and the driver owes what is gone."""
    books, amount = FakeBooks(), Decimal(fare) / 100
    kept = min(Decimal(commission) / 100, amount)
    paid = confirmed(f"{amount:.2f}", commission=f"{kept:.2f}", fee="0.01")
    books.post(posted_as(paid))
    back = money(fare * part // 100) / 100
    if back > 0:
        books.post(refund(refunded(paid, f"{back:.2f}")))
    sent = money(int(books.balance(paid.driver_id).available * 100) * out // 100) / 100
    if sent > 0:
        payout = ready(f"{sent:.2f}", driver_id=paid.driver_id)
        books.post(hold(payout), completion(completed(payout)))
    for name in names:
        if name != "fee" and back == amount:
            with pytest.raises(AlreadyReversed):
                undo(books, f"{name}_{paid.payment_id}")
            continue
        undo(books, f"{name}_{paid.payment_id}")
        with pytest.raises(AlreadyReversed):
            books.post(_again(books, f"{name}_{paid.payment_id}"))
    assert [books.account(code) for code in ("1300", "4100", "4200", "5100")] == [0, 0, 0, 0]
    balance = books.balance(paid.driver_id)
    assert balance.available - balance.receivable == -sent
    assert books.account("1100") == -sent
    assert min(balance.available, balance.receivable) == 0


def _again(books: FakeBooks, transaction_id: str) -> Instruction:
    """The same order under another external id: the rule itself refuses, not only the key."""
    order = reversal(journal(books, transaction_id), reason="again")
    return order._replace(external_id=f"again:{new_id()}")


def test_what_the_driver_no_longer_has_is_owed() -> None:
    books = FakeBooks()
    paid = confirmed("100.00", commission="20.00")
    payout = ready("70.00", driver_id=paid.driver_id)
    books.post(settlement(paid), hold(payout), completion(completed(payout)))
    undo(books, f"payment_{paid.payment_id}")
    balance = books.balance(paid.driver_id)
    assert (balance.available, balance.receivable) == (0, money("70.00"))
    undone = books.journals[-1]
    original = journal(books, f"payment_{paid.payment_id}").entry("2100", EntryType.CREDIT).id
    assert {e.line.reverses for e in undone.entries if e.line.account_code in ("2100", "1350")} == {original}


def test_a_payment_reversed_after_a_refund_and_a_payout_leaves_what_is_gone_to_the_driver() -> None:
    """100.00 came, 5.00 went back and 70.00 to the driver: of their 80.00 less 4.00 they still have 6.00."""
    books = FakeBooks()
    paid = confirmed("100.00", commission="20.00")
    payout = ready("70.00", driver_id=paid.driver_id)
    books.post(settlement(paid), hold(payout), completion(completed(payout)), refund(refunded(paid, "5.00")))
    assert books.balance(paid.driver_id).available == money("6.00")

    undo(books, f"payment_{paid.payment_id}")

    assert lines(books.journals[-1]) == [
        *["C 1300 95.00", "D 4100 95.00"],
        *["C 4100 95.00", "D 4200 19.00", "D 2100 6.00", "D 1350 70.00"],
        *["C 1100 95.00", "D 1300 95.00"],
    ]
    codes = ("1100", "1300", "1350", "2100", "2150", "4100", "4200")
    assert {code: books.account(code) for code in codes} == {
        **dict.fromkeys(codes, ZERO),
        "1100": money("-70.00"),
        "1350": money("70.00"),
    }
    balance = books.balance(paid.driver_id)
    assert (balance.available, balance.on_hold, balance.receivable) == (ZERO, ZERO, money("70.00"))


@pytest.mark.parametrize(
    ("commission", "divided"),
    [("0.00", ["C 4100 10.00", "D 2100 10.00"]), ("10.00", ["C 4100 10.00", "D 4200 10.00"])],
    ids=["no commission", "all of it commission"],
)
def test_a_payment_that_is_not_divided_is_reversed_by_the_lines_that_it_has(
    commission: str, divided: list[str]
) -> None:
    books = FakeBooks()
    paid = confirmed("10.00", commission=commission)
    books.post(settlement(paid))

    undo(books, f"payment_{paid.payment_id}")

    [posted, undone] = books.journals
    assert lines(undone) == ["C 1300 10.00", "D 4100 10.00", *divided, "C 1100 10.00", "D 1300 10.00"]
    assert [line.reverses for line in undone.draft.lines] == [entry.id for entry in posted.entries]
    assert undone.draft.reverses == posted.id
    assert {books.account(code) for code in ("1100", "1300", "2100", "4100", "4200")} == {0}
    balance = books.balance(paid.driver_id)
    assert (balance.available, balance.receivable) == (ZERO, ZERO)


def test_reversals_refunds_nettings_and_a_payouts_steps_are_not_reversed() -> None:
    books = FakeBooks()
    paid = confirmed("100.00", commission="20.00")
    sent, lost = ready("30.00", driver_id=paid.driver_id), ready("5.00", driver_id=paid.driver_id)
    refunding = refunded(paid, "10.00")
    back = returned(sent, "1.00")
    books.post(settlement(paid), hold(sent), hold(lost), completion(completed(sent, fee="0.10")))
    books.post(release(failed(lost)), giving_back(back), refund(refunding))
    found = mismatch("5.00")
    given_back = credit_refunded(found, "1.00", at=NOW)
    books.post(suspension(found), credit_refund(given_back))
    undo(books, f"payment_{paid.payment_id}")
    refused = [
        f"payment_{paid.payment_id}_reversal",
        f"refund_{refunding.refund_id}",
        f"credit_refund_{given_back.refund_id}",
        f"payout_{sent.payout_id}",
        f"payout_completed_{sent.payout_id}",
        f"payout_{lost.payout_id}_reversal",
        f"payout_returned_{back.return_id}",
    ]
    for transaction_id in refused:
        with pytest.raises(NotReversible):
            undo(books, transaction_id)
    undo(books, f"payout_fee_{sent.payout_id}")
    undo(books, f"pix_{found.external_id}")
    assert books.account("2900") == 0


def test_a_debt_that_was_paid_back_meanwhile_is_the_drivers_again() -> None:
    """D 1350 / C 4300 by hand, netted from a payment, then reversed: the driver gets it back."""
    books, driver_id = FakeBooks(), new_id()
    fined = manual(books, debit("1350", money("30.00"), driver_id=driver_id), credit("4300", money("30.00")))
    books.post(settlement(confirmed("30.00", commission="10.00", driver_id=driver_id)))
    assert books.balance(driver_id).receivable == money("10.00")
    undo(books, fined)
    balance = books.balance(driver_id)
    assert (balance.available, balance.receivable) == (money("20.00"), 0)


def test_what_a_reversal_gives_pays_back_a_debt_first() -> None:
    books, driver_id = FakeBooks(), new_id()
    books.post(settlement(confirmed("30.00", commission="0.00", driver_id=driver_id)))
    taken = manual(books, debit("2100", money("30.00"), driver_id=driver_id), credit("4300", money("30.00")))
    manual(books, debit("1350", money("8.00"), driver_id=driver_id), credit("4300", money("8.00")))
    undo(books, taken)
    balance = books.balance(driver_id)
    assert (balance.available, balance.receivable) == (money("22.00"), 0)
    assert books.journals[-1].draft.event_type == NETTED
    undo(books, books.journals[-1].draft.transaction_id)
    balance = books.balance(driver_id)
    assert (balance.available, balance.receivable) == (money("30.00"), money("8.00"))


def test_a_journal_of_several_drivers_is_reversed_only_while_each_has_their_part() -> None:
    books, one, other = FakeBooks(), new_id(), new_id()
    lines = (
        debit("5200", money("3.00")),
        credit("2100", money("1.00"), driver_id=one),
        credit("2100", money("2.00"), driver_id=other),
    )
    first, second = manual(books, *lines), manual(books, *lines)
    undo(books, first)
    books.post(hold(ready("1.00", driver_id=other)))
    with pytest.raises(NegativeBalance):
        undo(books, second)


def test_a_refund_of_a_payment_that_was_reversed_by_hand_waits_for_someone() -> None:
    books = FakeBooks()
    paid = confirmed("100.00", commission="20.00")
    books.post(settlement(paid))
    undo(books, f"payment_{paid.payment_id}")
    with pytest.raises(Contradiction):
        books.post(refund(refunded(paid, "10.00")))
