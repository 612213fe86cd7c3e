"""Matching statement lines with bank entries, and what a whole day adds up to."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from ledger_books import NOW
from ledger_office import closed, statement_line

from contracts.payment import StatementLine, StatementLineKind
from kernel.ids import new_id
from kernel.money import ZERO, money
from ledger.domain.bank_day import BankDay
from ledger.domain.cases import CaseKind
from ledger.domain.instruction import Contradiction
from ledger.domain.reversal import REVERSED
from ledger.domain.settlement import CONFIRMED
from ledger.domain.statement import (
    EVENTS_OF_KIND,
    BankEntry,
    DaySums,
    changed_line,
    choose,
    day_differences,
    difference_of,
    missing_at_bank,
    reference_of,
    unexplained,
)

DAY = "2026-03-10"


def line(amount: str, **names: str | None) -> StatementLine:
    return statement_line(StatementLineKind.PIX_RECEIVED, amount, day=DAY, at=NOW, line_id="line-1", **names)


def entry(
    number: int, amount: str, *, return_id: str | None = None, reverses: int | None = None
) -> BankEntry:
    return BankEntry(
        id=number,
        journal_id=new_id(),
        transaction_id=f"t{number}",
        event_type=CONFIRMED if reverses is None else REVERSED,
        amount=money(amount),
        occurred_at=NOW,
        return_id=return_id,
        reverses=reverses,
    )


@pytest.mark.parametrize(
    ("amounts", "chosen"),
    [
        (["50.00"], [0]),
        (["20.00", "50.00"], [1]),
        (["50.00", "50.00"], [0]),
        (["20.00", "30.00"], [0, 1]),
        (["49.99"], []),
        ([], []),
        (["20.00", "20.00", "30.00"], []),
    ],
)
def test_a_line_speaks_for_one_entry_or_for_all_of_them(amounts: list[str], chosen: list[int]) -> None:
    candidates = [entry(number, amount) for number, amount in enumerate(amounts)]
    assert [one.id for one in choose(line("50.00"), candidates)] == chosen


def test_of_equal_entries_the_lines_own_return_goes_first() -> None:
    candidates = [entry(1, "5.00", return_id="D1"), entry(2, "5.00", return_id="D2")]
    assert choose(line("5.00", return_id="D2"), candidates) == (candidates[1],)
    assert choose(line("5.00", return_id="D9"), candidates) == (candidates[0],)
    assert choose(line("5.00"), candidates) == (candidates[0],)


@pytest.mark.parametrize("other", ["7.00", "5.00"])
def test_a_return_of_held_money_and_fare_is_both_its_entries_whatever_else_came_back(other: str) -> None:
    parts = [entry(2, "3.00", return_id="D1"), entry(3, "2.00", return_id="D1")]
    candidates = [entry(1, other, return_id="D2"), *parts]
    assert choose(line("5.00", return_id="D1"), candidates) == tuple(parts)
    assert choose(line(other, return_id="D2"), candidates) == (candidates[0],)


def test_why_a_line_needs_someone() -> None:
    assert difference_of(line("5.00"), []).kind is CaseKind.MISSING_IN_LEDGER
    differs = difference_of(line("5.00"), [entry(1, "4.00")])
    assert (differs.kind, "posted: 4.00" in differs.detail) == (CaseKind.AMOUNT_DIFFERS, True)
    alone = missing_at_bank(entry(1, "4.00"), day=date(2026, 3, 10))
    assert (alone.kind, "t1 moves 4.00" in alone.detail) == (CaseKind.MISSING_AT_BANK, True)


def test_a_line_that_speaks_of_something_else_the_second_time_is_refused() -> None:
    with pytest.raises(Contradiction):
        changed_line(line("5.00", return_id="D1"), line("5.00", return_id="D2"))
    with pytest.raises(Contradiction):
        changed_line(line("5.00").model_copy(update={"day": "2026-03-11"}), line("5.00"))
    with pytest.raises(Contradiction):
        changed_line(line("5.00").model_copy(update={"kind": StatementLineKind.FEE}), line("5.00"))


def test_another_amount_of_the_same_line_is_a_difference_and_says_both() -> None:
    assert changed_line(line("5.00"), line("5.00")) is None
    found = changed_line(line("5.01", e2e_id="E1"), line("5.00"))
    assert found is not None
    assert found.kind is CaseKind.AMOUNT_DIFFERS
    assert "of 5.01 on 2026-03-10; it said 5.00 before" in found.detail


def test_a_name_or_a_moment_that_is_told_better_later_is_no_difference() -> None:
    assert changed_line(line("5.00", e2e_id="E1", return_id="D1"), line("5.00", e2e_id="E1")) is None
    assert changed_line(line("5.00", e2e_id="E1"), line("5.00", e2e_id="E1", txid="t")) is None
    later = line("5.00").model_copy(update={"occurred_at": NOW + timedelta(seconds=2)})
    assert changed_line(later, line("5.00")) is None


def test_every_kind_of_line_has_its_events() -> None:
    assert set(EVENTS_OF_KIND) == set(StatementLineKind)


@pytest.mark.parametrize(
    ("names", "reference"),
    [
        ({"e2e_id": "E1", "id_envio": "i", "txid": "t"}, "E1"),
        ({"id_envio": "i", "txid": "t"}, "i"),
        ({"txid": "t"}, "t"),
        ({}, "line-1"),
    ],
)
def test_a_line_is_known_by_the_best_reference(names: dict[str, str | None], reference: str) -> None:
    assert reference_of(line("1.00", **names)) == reference


def test_an_entry_and_its_reversal_explain_each_other_only_together_and_in_full() -> None:
    wrong, undone = entry(1, "9.00"), entry(2, "-9.00", reverses=1)
    part, of_another = entry(3, "-4.00", reverses=1), entry(4, "-9.00", reverses=77)
    assert unexplained([wrong, undone]) == []
    assert unexplained([wrong, part]) == [wrong, part]
    assert unexplained([of_another]) == [of_another]


SUMS = DaySums(
    lines=1,
    lines_total=money("10.00"),
    booked=money("10.00"),
    entries_alone=ZERO,
    lines_alone=ZERO,
    shifted=ZERO,
)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, []),
        ({"lines": 2}, [CaseKind.STATEMENT_INCOMPLETE]),
        ({"lines_total": money("9.00")}, [CaseKind.STATEMENT_INCOMPLETE, CaseKind.TOTALS_DIFFER]),
        ({"booked": money("17.00"), "entries_alone": money("7.00")}, []),
        ({"booked": money("17.00"), "shifted": money("7.00")}, []),
        ({"booked": ZERO, "lines_alone": money("10.00")}, []),
        ({"booked": money("17.00")}, [CaseKind.TOTALS_DIFFER]),
    ],
)
def test_what_is_wrong_with_a_whole_day(change: dict[str, int | Decimal], kinds: list[CaseKind]) -> None:
    found = day_differences(closed([line("10.00")], day=DAY, at=NOW), replace(SUMS, **change))
    assert [difference.kind for difference in found] == kinds


def test_a_days_difference_is_what_the_books_moved_less_what_the_bank_says() -> None:
    day = BankDay(
        day=date(2026, 3, 10),
        line_count=2,
        arrived=2,
        matched=1,
        came_in=money("10.00"),
        went_out=money("-4.00"),
        booked_in=money("12.00"),
        booked_out=money("-4.00"),
        entries_alone=1,
        open_cases=0,
        cases=1,
        balance=None,
        gap=None,
        closed_at=NOW,
        checked_at=None,
    )
    assert day.difference == money("2.00")
