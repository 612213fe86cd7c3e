"""Double entry and the chart."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from ledger_books import NOW, confirmed
from ledger_fakes import FakeBooks

from contracts.ledger import EntryType
from kernel.ids import new_id
from ledger.domain.chart import UnknownAccount, account, detail_account
from ledger.domain.driver_balance import DriverBalance, NegativeBalance
from ledger.domain.instruction import EntityType
from ledger.domain.journal import (
    Draft,
    InvalidJournal,
    Line,
    UnbalancedJournal,
    credit,
    debit,
    validate_double_entry,
)
from ledger.domain.manual import MANUAL, manual_entry
from ledger.domain.period import periods_of
from ledger.domain.settlement import settlement

ONE = Decimal("1.00")


def test_equal_sides_are_valid() -> None:
    validate_double_entry([debit("1100", ONE), credit("3100", ONE)])
    validate_double_entry([debit("1100", Decimal(1)), credit("3100", ONE)])


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ([debit("1100", ONE), credit("3100", Decimal("2.00"))], UnbalancedJournal),
        ([debit("1100", ONE)], UnbalancedJournal),
        ([], InvalidJournal),
        ([debit("1100", Decimal("0.00")), credit("3100", Decimal("0.00"))], InvalidJournal),
        ([debit("1100", -ONE), credit("3100", -ONE)], InvalidJournal),
        ([debit("1100", Decimal("0.001")), credit("3100", Decimal("0.001"))], InvalidJournal),
        ([debit("1000", ONE), credit("3100", ONE)], UnknownAccount),
        ([debit("9999", ONE), credit("3100", ONE)], UnknownAccount),
        ([debit("1100", ONE), credit("2100", ONE)], InvalidJournal),
        ([debit("1100", ONE), credit("2100", ONE, passenger_id=new_id())], InvalidJournal),
        ([debit("1100", ONE), credit("2200", ONE, driver_id=new_id())], InvalidJournal),
    ],
)
def test_anything_else_is_refused(lines: list[Line], refusal: type[InvalidJournal]) -> None:
    with pytest.raises(refusal):
        validate_double_entry(lines)


@pytest.mark.parametrize(
    ("code", "side"),
    [("1100", "DEBIT"), ("2100", "CREDIT"), ("3100", "CREDIT"), ("4200", "CREDIT"), ("5100", "DEBIT")],
)
def test_each_type_has_its_normal_side(code: str, side: str) -> None:
    assert account(code).normal_side == side


def test_a_header_takes_no_entries() -> None:
    assert account("2000").name == "PASSIVO"
    with pytest.raises(UnknownAccount):
        detail_account("2000")


def test_a_line_without_owner_moves_nobody() -> None:
    assert debit("1100", ONE, driver_id=new_id()).owner_id is None


@pytest.mark.parametrize(("code", "side"), [("5100", EntryType.DEBIT), ("4200", EntryType.DEBIT)])
def test_a_journal_has_no_entry_on_other_accounts_or_sides(code: str, side: EntryType) -> None:
    books = FakeBooks()
    books.post(settlement(confirmed()))
    with pytest.raises(InvalidJournal):
        books.journals[0].entry(code, side)


def test_a_balance_never_falls_below_zero() -> None:
    driver_id = new_id()
    balance = DriverBalance(driver_id=driver_id, available=ONE)
    other = [debit("2100", Decimal("5.00"), driver_id=new_id()), debit("1100", ONE)]
    assert balance.after(other) == balance
    with pytest.raises(NegativeBalance):
        balance.after([debit("2100", Decimal("1.01"), driver_id=driver_id)])


def test_a_manual_journal_is_checked_before_it_is_ordered() -> None:
    draft = Draft(
        transaction_id="capital_1",
        event_type=MANUAL,
        entity_type=EntityType.MANUAL,
        entity_id="capital_1",
        description="Capital",
        lines=(debit("1100", ONE), credit("3100", ONE)),
    )
    books = FakeBooks()
    books.post(manual_entry(draft, now=NOW))
    assert books.account("3100") == ONE
    with pytest.raises(UnbalancedJournal):
        manual_entry(Draft(**{**_fields(draft), "lines": draft.lines[:1]}), now=NOW)


def _fields(draft: Draft) -> dict[str, object]:
    return draft._asdict()


def test_periods_are_sao_paulos() -> None:
    # 02:30 UTC of Monday the 2nd is still Sunday the 1st in São Paulo.
    periods = periods_of(datetime(2026, 3, 2, 2, 30, tzinfo=UTC))
    assert (periods.today, periods.week, periods.month) == (
        date(2026, 3, 1),
        date(2026, 2, 23),
        date(2026, 3, 1),
    )
    assert periods.first == date(2026, 2, 23)


def test_days_of_posting_are_sao_paulos() -> None:
    books = FakeBooks()
    books.post(settlement(confirmed()), now=datetime(2026, 3, 2, 2, 30, tzinfo=UTC))
    assert {journal.transaction_date for journal in books.journals} == {date(2026, 3, 1)}
