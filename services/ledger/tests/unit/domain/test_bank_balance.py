"""When two balances that are never taken at the same moment have drifted."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_books import NOW
from ledger_office import closed

from kernel.money import ZERO, money
from ledger.domain.bank_balance import (
    BookedBalance,
    JudgedBalance,
    Known,
    Span,
    balance_difference,
    known_gap,
)
from ledger.domain.cases import CaseKind, Resolution

DAY = "2026-03-10"


def span(low: str, high: str) -> Span:
    return Span(low=money(low), high=money(high))


def booked(amount: str, low: str = "0.00", high: str = "0.00") -> BookedBalance:
    return BookedBalance(amount=money(amount), flight=span(low, high))


def rings(balance: str, books: BookedBalance, known: Span | None, *told: Span) -> bool:
    statement = closed([], day=DAY, at=NOW, balance=balance)
    found = balance_difference(statement, books, known=Known(gap=known, told=told))
    assert found is None or found.kind is CaseKind.BALANCE_DIFFERS
    return found is not None


@pytest.mark.parametrize(
    ("balance", "books", "known", "ring"),
    [
        # The first one tells what the account held before the books began.
        ("13.00", booked("10.00"), None, False),
        ("13.00", booked("10.00"), span("3.00", "3.00"), False),
        ("13.00", booked("10.00"), span("2.00", "2.00"), True),
        # A payout of 5.00 that the bank has debited and that is booked a moment later; and a receipt.
        ("8.00", booked("10.00", "-5.00"), span("3.00", "3.00"), False),
        ("17.00", booked("10.00", "0.00", "4.00"), span("3.00", "3.00"), False),
        # What was in flight explains so much and not a centavo more.
        ("7.99", booked("10.00", "-5.00"), span("3.00", "3.00"), True),
        ("17.01", booked("10.00", "0.00", "4.00"), span("3.00", "3.00"), True),
        # Neither does it explain the other direction.
        ("13.01", booked("10.00", "-5.00"), span("3.00", "3.00"), True),
    ],
)
def test_only_what_nothing_in_flight_explains_rings(
    balance: str, books: BookedBalance, known: Span | None, ring: bool
) -> None:
    assert rings(balance, books, known) is ring


def quiet(*gaps: Span) -> Span:
    """What is known after nights that opened no case."""
    known = known_gap([JudgedBalance(gap=gap) for gap in gaps])
    assert known.told == ()
    assert known.gap is not None
    return known.gap


def test_a_drift_that_hides_in_a_busy_night_shows_in_the_next_quiet_one() -> None:
    known = span("3.00", "3.00")
    busy = booked("10.00", "-5.00", "5.00")
    assert not rings("14.00", busy, known)
    known = quiet(known, busy.gap(money("14.00")))
    assert known == span("3.00", "3.00"), "one centavo is not lost out of sight for good"
    assert rings("14.00", booked("10.00"), known)


def test_busy_nights_only_still_close_in_on_it() -> None:
    first = booked("10.00", "-2.00", "1.00").gap(money("13.00"))
    assert first == span("2.00", "5.00")
    known = quiet(first, booked("10.00", "-1.00", "2.00").gap(money("13.00")))
    assert known == span("2.00", "4.00")
    assert rings("15.50", booked("10.00", "0.00", "1.00"), known)


OPENING, STOLEN = span("1000.00", "1000.00"), span("900.00", "900.00")


def after(resolution: Resolution | None, *later: Span) -> Known:
    """100.00 vanished in the second night, and somebody resolved the case, or nobody did yet."""
    nights = [
        JudgedBalance(gap=OPENING),
        JudgedBalance(gap=STOLEN, opened=True, resolution=resolution),
        *[JudgedBalance(gap=gap) for gap in later],
    ]
    return known_gap(nights)


def rings_after(gap: str, known: Known) -> bool:
    assert known.gap is not None
    return rings(gap, booked("0.00"), known.gap, *known.told)


def test_while_a_case_is_open_it_speaks_for_its_gap_and_for_no_other() -> None:
    known = after(None, STOLEN)
    assert not rings_after("900.00", known), "the open case says so"
    assert not rings_after("1000.00", known), "it came back"
    assert rings_after("800.00", known), "more is gone"


def test_a_corrected_gap_is_the_old_one_again_and_a_second_theft_of_the_same_amount_rings() -> None:
    known = after(Resolution.CORRECTED_BY_JOURNAL, STOLEN)
    assert not rings_after("1000.00", known)
    assert rings_after("900.00", known)


@pytest.mark.parametrize("resolution", [Resolution.EXPLAINED, Resolution.WRITTEN_OFF])
def test_a_gap_that_somebody_accepted_is_what_is_known_from_then_on(resolution: Resolution) -> None:
    known = after(resolution)
    assert not rings_after("900.00", known)
    assert rings_after("1000.00", known)


def test_a_span_says_one_amount_or_two() -> None:
    assert (str(span("3.00", "3.00")), str(span("-1.00", "2.00"))) == ("3.00", "-1.00 to 2.00")
    assert span("1.00", "2.00").meet(span("3.00", "4.00")) is None


@given(
    opening=st.integers(0, 10_000),
    nights=st.lists(st.lists(st.tuples(st.integers(-900, 900), st.integers(0, 3)), max_size=6), max_size=8),
    drift=st.integers(-50, 50),
)
def test_no_night_rings_by_itself_and_a_drift_does_at_the_first_quiet_moment(
    opening: int, nights: list[list[tuple[int, int]]], drift: int
) -> None:
    """Each movement is, at the moment of the balance, counted by both, by one of them, or by none yet."""
    total, gaps = 0, list[Span]()
    for night in nights:
        low = high = bank = ours = 0
        for amount, seen in night:
            by_bank, by_us = bool(seen & 1), bool(seen & 2)
            contribution = -amount if by_us else amount
            low, high = low + min(contribution, 0), high + max(contribution, 0)
            bank, ours = bank + amount * by_bank, ours + amount * by_us
        books = booked(f"{total + ours}.00", f"{low}.00", f"{high}.00")
        balance = f"{opening + total + bank}.00"
        assert not rings(balance, books, quiet(*gaps) if gaps else None)
        gaps.append(books.gap(Decimal(balance)))
        total += sum(amount for amount, _ in night)
    still = booked(f"{total}.00")
    assert not rings(f"{opening + total}.00", still, quiet(*gaps) if gaps else None)
    known = quiet(*gaps, still.gap(money(f"{opening + total}.00")))
    assert known == Span(low=money(f"{opening}.00"), high=money(f"{opening}.00"))
    assert rings(f"{opening + total + drift}.00", still, known) is (drift != ZERO)
