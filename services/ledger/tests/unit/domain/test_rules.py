"""What each event posts, and what contradicts the books."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from ledger_books import NOW, completed, confirmed, failed, mismatch, ready, refunded, returned
from ledger_fakes import FakeBooks

from contracts.ledger import EntryType, LedgerPosted, LedgerReversed
from contracts.payment import MismatchKind
from kernel.ids import new_id
from ledger.domain.instruction import Context, Contradiction, DuplicateDiffers, first_of_each
from ledger.domain.journal import Journal
from ledger.domain.payout import completion, giving_back, hold, release
from ledger.domain.refund import refund
from ledger.domain.reversal import AlreadyReversed, NotReversible, reversal, reverse
from ledger.domain.settlement import settlement, suspension


@pytest.fixture
def books() -> FakeBooks:
    return FakeBooks()


def lines(journal: Journal) -> list[tuple[str, str, str]]:
    return [(one.entry_type.value[0], one.account_code, str(one.amount)) for one in journal.draft.lines]


def test_a_payment_posts_revenue_split_and_settlement_as_one_journal_and_the_fee_as_another(
    books: FakeBooks,
) -> None:
    paid = confirmed("10.01", commission="2.00", fee="0.05")
    books.post(settlement(paid))

    assert [lines(journal) for journal in books.journals] == [
        [
            *[("D", "1300", "10.01"), ("C", "4100", "10.01")],
            *[("D", "4100", "10.01"), ("C", "4200", "2.00"), ("C", "2100", "8.01")],
            *[("D", "1100", "10.01"), ("C", "1300", "10.01")],
        ],
        [("D", "5100", "0.05"), ("C", "1100", "0.05")],
    ]
    assert [(journal.draft.transaction_id, journal.draft.event_type) for journal in books.journals] == [
        (f"payment_{paid.payment_id}", "payment.confirmed"),
        (f"fee_{paid.payment_id}", "payment.fee"),
    ]


@pytest.mark.parametrize(
    ("commission", "split"),
    [
        ("0.00", [("D", "4100", "10.00"), ("C", "2100", "10.00")]),
        ("10.00", [("D", "4100", "10.00"), ("C", "4200", "10.00")]),
    ],
)
def test_a_part_of_nothing_posts_no_line(
    books: FakeBooks, commission: str, split: list[tuple[str, str, str]]
) -> None:
    paid = confirmed("10.00", commission=commission)
    books.post(settlement(paid))
    assert lines(books.journals[0]) == [
        *[("D", "1300", "10.00"), ("C", "4100", "10.00")],
        *split,
        *[("D", "1100", "10.00"), ("C", "1300", "10.00")],
    ]
    books.post(refund(refunded(paid, "10.00")))
    assert books.account("1100") == books.account("2100") == books.account("4200") == 0
    [_, part] = split
    assert lines(books.journals[1]) == [
        *[("D", part[1], "10.00"), ("C", "4100", "10.00")],
        *[("D", "4100", "10.00"), ("C", "1300", "10.00")],
        *[("D", "1300", "10.00"), ("C", "1100", "10.00")],
    ]


@pytest.mark.parametrize("commission", ["-0.01", "10.01"])
def test_a_commission_beyond_the_fare_contradicts(books: FakeBooks, commission: str) -> None:
    with pytest.raises(Contradiction):
        books.post(settlement(confirmed("10.00", commission=commission)))


def test_a_payment_is_posted_once_even_with_another_e2e_id(books: FakeBooks) -> None:
    paid = confirmed()
    books.post(settlement(paid))
    with pytest.raises(Contradiction):
        books.post(settlement(confirmed(payment_id=paid.payment_id, driver_id=paid.driver_id)))


def test_a_stray_pix_goes_to_suspense_or_to_its_passenger(books: FakeBooks) -> None:
    passenger_id = new_id()
    found = mismatch("2.00", passenger_id=passenger_id, kind=MismatchKind.SECOND, txid="x" * 26)
    books.post(suspension(mismatch("3.00")), suspension(found))

    assert [lines(journal) for journal in books.journals] == [
        [("D", "1100", "3.00"), ("C", "2900", "3.00")],
        [("D", "1100", "2.00"), ("C", "2200", "2.00")],
    ]
    assert books.journals[1].draft.lines[1].passenger_id == passenger_id
    assert books.kept == {("2200", passenger_id): Decimal("2.00")}
    assert books.events[found.external_id].metadata == {"kind": "second", "txid": "x" * 26}


def test_refunds_that_add_up_give_everything_back(books: FakeBooks) -> None:
    paid = confirmed("10.00", commission="3.33")
    books.post(settlement(paid))
    total = Decimal("0.00")
    for part in ("3.34", "3.33", "3.33"):
        total += Decimal(part)
        books.post(refund(refunded(paid, part, total=str(total))))

    assert {books.account(code) for code in ("1100", "1300", "2100", "1350", "4100", "4200")} == {0}
    with pytest.raises(Contradiction):
        books.post(refund(refunded(paid, "0.01", total="10.01")))


def test_a_refund_names_the_entries_that_it_reverses(books: FakeBooks) -> None:
    paid = confirmed("10.00", commission="2.00")
    books.post(settlement(paid))
    originals = {entry.id: entry.line for journal in books.journals for entry in journal.entries}
    before = len(books.journals)
    giving_back = refunded(paid, "5.00")

    books.post(refund(giving_back))

    [journal] = books.journals[before:]
    assert journal.draft.transaction_id == f"refund_{giving_back.refund_id}"
    for line in journal.draft.lines:
        assert line.reverses is not None
        original = originals[line.reverses]
        assert (original.account_code, original.entry_type) != (line.account_code, line.entry_type)
        assert original.account_code == line.account_code
    assert sorted(line.reverses for line in journal.draft.lines if line.reverses) == sorted(originals)


def test_a_refund_of_an_unknown_payment_contradicts(books: FakeBooks) -> None:
    with pytest.raises(Contradiction):
        books.post(refund(refunded(confirmed(), "1.00")))


def test_what_the_driver_owes_is_netted_from_the_next_earnings(books: FakeBooks) -> None:
    paid = confirmed("10.00", commission="2.00")
    books.post(settlement(paid), hold(ready("8.00", driver_id=paid.driver_id)))
    books.post(refund(refunded(paid, "10.00")))
    assert books.balance(paid.driver_id).receivable == Decimal("8.00")

    books.post(settlement(confirmed("5.00", commission="1.00", driver_id=paid.driver_id)))
    assert lines(books.journals[-1]) == [("D", "2100", "4.00"), ("C", "1350", "4.00")]
    balance = books.balance(paid.driver_id)
    assert (balance.available, balance.receivable) == (Decimal("0.00"), Decimal("4.00"))


def test_a_failed_hold_is_reversed_entry_by_entry(books: FakeBooks) -> None:
    paid = confirmed("10.00", commission="2.00")
    payout = ready("8.00", driver_id=paid.driver_id)
    books.post(settlement(paid), hold(payout))
    held = books.journals[-1]

    facts = books.post(release(failed(payout)))

    undone = books.journals[-1]
    assert undone.draft.reverses == held.id
    assert [line.reverses for line in undone.draft.lines] == [entry.id for entry in held.entries]
    assert [type(fact) for fact in facts[:2]] == [LedgerPosted, LedgerReversed]


HELD_STEPS: dict[str, Callable[..., list[object]]] = {
    "complete": lambda payout: [completion(completed(payout))],
    "fail": lambda payout: [release(failed(payout))],
    "return": lambda payout: [giving_back(returned(payout, "1.00"))],
    "fail as never held": lambda payout: [release(failed(payout, held=False))],
    "complete another amount": lambda payout: [
        completion(completed(payout.model_copy(update={"amount": Decimal("1.00")})))
    ],
}


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ((), "complete"),
        ((), "fail"),
        ((), "return"),
        (("hold",), "return"),
        (("hold",), "fail as never held"),
        (("hold",), "complete another amount"),
        (("hold", "complete"), "fail"),
        (("hold", "fail"), "complete"),
        (("hold", "fail"), "return"),
    ],
)
def test_what_does_not_follow_contradicts(books: FakeBooks, first: tuple[str, ...], then: str) -> None:
    paid = confirmed("10.00", commission="0.00")
    payout = ready("5.00", driver_id=paid.driver_id)
    steps: dict[str, Callable[..., list[object]]] = {"hold": lambda payout: [hold(payout)], **HELD_STEPS}
    books.post(settlement(paid))
    for step in first:
        books.post(*steps[step](payout))  # type: ignore[arg-type]

    with pytest.raises(Contradiction):
        books.post(*steps[then](payout))  # type: ignore[arg-type]


def test_a_second_hold_of_one_payout_is_the_first_decision(books: FakeBooks) -> None:
    payout = ready("5.00", driver_id=new_id())
    assert len(books.post(hold(payout))) == 1
    books.post(settlement(confirmed("10.00", commission="0.00", driver_id=payout.driver_id)))
    assert books.post(hold(payout)) == []
    assert books.balance(payout.driver_id).on_hold == 0


def test_more_than_was_sent_cannot_come_back(books: FakeBooks) -> None:
    paid = confirmed("10.00", commission="0.00")
    payout = ready("5.00", driver_id=paid.driver_id)
    books.post(settlement(paid), hold(payout), completion(completed(payout)))
    books.post(giving_back(returned(payout, "2.00")), giving_back(returned(payout, "3.00")))
    with pytest.raises(Contradiction):
        books.post(giving_back(returned(payout, "0.01")))


def test_an_ordered_reversal_happens_once_and_is_not_reversed_itself(books: FakeBooks) -> None:
    books.post(suspension(mismatch("5.00")))
    [journal] = books.journals
    facts = books.post(reversal(journal, reason="posted by mistake"))

    assert books.account("1100") == books.account("2900") == 0
    [reversed_] = [fact for fact in facts if isinstance(fact, LedgerReversed)]
    assert reversed_.reason == "posted by mistake"
    with pytest.raises(NotReversible):
        books.post(reversal(books.journals[-1], reason="again"))
    with pytest.raises(AlreadyReversed):
        reverse(journal, context=Context(history=tuple(books.journals)), description="again")


def test_a_repeat_within_a_batch_counts_once_unless_it_disagrees() -> None:
    paid = confirmed("10.00")
    same, other = settlement(paid), settlement(confirmed("20.00", e2e_id=paid.e2e_id))
    assert first_of_each([same, settlement(paid)]) == [same]
    with pytest.raises(DuplicateDiffers):
        first_of_each([same, other])


def test_amounts_on_a_journals_side_are_found(books: FakeBooks) -> None:
    books.post(settlement(confirmed("10.00", commission="2.00")))
    [journal] = books.journals
    assert journal.entry("4200", EntryType.CREDIT).line.amount == Decimal("2.00")
    turned_over = [journal.entry("4100", side) for side in EntryType]
    assert [entry.line.entry_type for entry in turned_over] == [*EntryType]
    assert turned_over[0].id != turned_over[1].id
    assert (journal.amount_on("4100"), journal.amount_on("5100")) == (Decimal("20.00"), 0)
    assert journal.posted_at == NOW
