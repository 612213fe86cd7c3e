"""The reports hold for any sequence of money events, and say what happened."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_books import NOW, completed, confirmed, mismatch, ready, refunded, returned
from ledger_fakes import FakeBooks, FakeTx
from ledger_office import capital, credit_refunded

from kernel.ids import new_id
from kernel.money import ZERO, money
from ledger.api.statement_csv import statement_csv
from ledger.domain.as_of import By, Moment, Turnover, end_of
from ledger.domain.credit_refund import credit_refund
from ledger.domain.driver_statement import DriverPosting, Money, driver_statement
from ledger.domain.instruction import EntityType, Instruction
from ledger.domain.journal import Draft
from ledger.domain.manual import MANUAL, manual_entry
from ledger.domain.payout import completion, giving_back, hold
from ledger.domain.refund import refund
from ledger.domain.reports import InvalidPeriod, balance_sheet, check_period, income_statement, trial_balance
from ledger.domain.reversal import reversal
from ledger.domain.settlement import settlement, suspension
from ledger.usecases.get_driver_statement import get_driver_statement
from ledger.usecases.get_financials_report import get_financials_report

FIRST = date(2026, 3, 10)
EVENTS = ("pay", "refund", "payout", "return", "mismatch", "credit_back", "reverse", "capital")


class Story:
    """Money events in any order, each on a day of its own choosing; impossible ones are left out."""

    def __init__(self) -> None:
        self.tx = FakeTx()
        self.driver_id = new_id()
        self.paid = confirmed("40.00", commission="8.00", fee="0.40", driver_id=self.driver_id)
        self.now = NOW
        self._names: set[str] = set()

    @property
    def books(self) -> FakeBooks:
        return self.tx.books

    def post(self, *instructions: Instruction) -> None:
        self.books.post(*instructions, now=self.now)

    def tell(self, event: str, day: int) -> None:
        self.now = max(self.now, NOW + timedelta(days=day))
        getattr(self, event)()

    def pay(self) -> None:
        self.paid = confirmed("40.00", commission="8.00", fee="0.40", driver_id=self.driver_id)
        self.post(settlement(self.paid))
        self._names = {"payment"}

    def refund(self) -> None:
        if self._names == {"payment"}:
            self.post(refund(refunded(self.paid, "10.00")))
            self._names = {"refunded"}

    def payout(self) -> None:
        half = money(int(self.books.balance(self.driver_id).available * 50)) / 100
        if half > 0:
            sent = ready(f"{half:.2f}", driver_id=self.driver_id)
            self.post(hold(sent), completion(completed(sent, fee="0.10")))
            self.sent = sent

    def mismatch(self) -> None:
        self.found = mismatch("7.00", passenger_id=new_id())
        self.post(suspension(self.found))

    def credit_back(self) -> None:
        if hasattr(self, "found"):
            self.post(credit_refund(credit_refunded(self.found, "3.00", at=self.now)))
            del self.found

    def reverse(self) -> None:
        if self._names:
            for part in ("payment", "fee"):
                name = f"{part}_{self.paid.payment_id}"
                found = next(j for j in self.books.journals if j.draft.transaction_id == name)
                self.post(reversal(found, reason="wrong"))
            self._names = set()

    def capital(self) -> None:
        name = f"manual_{new_id()}"
        draft = Draft(
            transaction_id=name,
            event_type=MANUAL,
            entity_type=EntityType.MANUAL,
            entity_id=name,
            description="Capital",
            lines=capital("100.00"),
        )
        self.post(manual_entry(draft, now=self.now))


def give_back(story: Story) -> None:
    if hasattr(story, "sent"):
        story.post(giving_back(returned(story.sent, str(story.sent.amount))))
        del story.sent


setattr(Story, "return", give_back)
stories = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 5)), max_size=25)
patient = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(events=stories)
async def test_assets_are_liabilities_equity_and_result_after_anything(events: list[tuple[str, int]]) -> None:
    story = Story()
    for event, day in events:
        story.tell(event, day)
    previous: dict[str, Turnover] = {}
    result = ZERO
    for n in range(7):
        end = FIRST + timedelta(days=n)
        turnovers = dict(await story.tx.days.turnovers(end_of(end)))
        sheet, trial = balance_sheet(turnovers, day=end), trial_balance(turnovers, day=end)
        assert (sheet.difference, trial.difference) == (ZERO, ZERO)
        assert sheet.assets_total == sheet.liabilities_total + sheet.equity_total + sheet.result
        income = income_statement(previous, turnovers, first=end, last=end)
        assert income.result == income.income_total - income.expenses_total
        result += income.result
        assert sheet.result == result
        previous = turnovers


@patient
@given(events=stories)
async def test_the_report_says_what_the_accounts_say(events: list[tuple[str, int]]) -> None:
    story = Story()
    for event, day in events:
        story.tell(event, day)
    report = await get_financials_report(story.tx, first=FIRST, last=FIRST + timedelta(days=6))
    total, closing = report.total, report.days[-1].closing
    assert all(story.books.account(code) == held for code, held in closing.items())
    assert total.gross_revenue == total.commission + total.drivers_part
    assert total.refunds == total.refunds_of_commission + total.refunds_of_drivers_part
    # What a reversal takes back is the rest after refunds, so what is left of revenue less refunds is ours.
    assert story.books.account("4200") == total.commission - total.refunds_of_commission
    balance = story.books.balance(story.driver_id)
    owed = (
        total.drivers_part - total.refunds_of_drivers_part - total.payouts_completed + total.payouts_returned
    )
    assert balance.total - balance.receivable == owed
    assert total.fees == story.books.account("5100")
    assert sum(day.money.rides_paid for day in report.days) == total.rides_paid


@patient
@given(events=stories, first=st.integers(0, 5), days=st.integers(0, 3))
async def test_a_statement_runs_from_the_balance_before_to_the_balance_after(
    events: list[tuple[str, int]], first: int, days: int
) -> None:
    story = Story()
    ends: dict[date, Money] = {}
    for event, day in sorted(events, key=lambda one: one[1]):
        story.tell(event, day)
        held = story.books.balance(story.driver_id)
        ends[FIRST + timedelta(days=day)] = Money(
            available=held.available, on_hold=held.on_hold, receivable=held.receivable
        )

    def at_end_of(day: date) -> Money:
        known = [end for told, end in sorted(ends.items()) if told <= day]
        return known[-1] if known else Money()

    since = FIRST + timedelta(days=first)
    until = since + timedelta(days=days)
    found = await get_driver_statement(story.tx, driver_id=story.driver_id, first=since, last=until)
    assert found.opening == at_end_of(since - timedelta(days=1))
    assert found.closing == at_end_of(until)
    running = found.opening
    for row in found.rows:
        running = running.plus(row.posting.change)
        assert row.balance == running
        assert min(running.available, running.on_hold, running.receivable) >= ZERO
        assert since <= row.posting.posted_on <= until


def test_a_period_has_one_to_ninety_two_days() -> None:
    check_period(FIRST, FIRST)
    check_period(FIRST, FIRST + timedelta(days=91))
    for last in (FIRST - timedelta(days=1), FIRST + timedelta(days=92)):
        with pytest.raises(InvalidPeriod):
            check_period(FIRST, last)


def test_a_moment_knows_its_day_and_the_last_full_one() -> None:
    midnight = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
    last = Moment(at=midnight - timedelta(microseconds=1), by=By.OCCURRED)
    assert (last.day, last.last_full_day) == (FIRST, FIRST)
    assert Moment(at=midnight).last_full_day == FIRST
    assert Moment(at=midnight - timedelta(microseconds=2)).last_full_day == FIRST - timedelta(days=1)
    assert end_of(FIRST) == Moment(at=last.at)
    assert Turnover(debits=money(3), credits=money(5)).balance("2100") == Decimal(2)


def posting(description: str, reference: str | None = "E1") -> DriverPosting:
    return DriverPosting(
        journal_id=new_id(),
        transaction_id="payment_1",
        event_type="payment.confirmed",
        description=description,
        reference=reference,
        posted_on=FIRST,
        occurred_at=NOW,
        posted_at=NOW,
        change=Money(available=money("-1234.50")),
    )


@pytest.mark.parametrize(
    ("language", "delimiter", "amount", "first"),
    [("pt-BR", ";", "-1234,50", "Saldo anterior"), ("en", ",", "-1234.50", "Opening balance")],
)
def test_a_csv_suits_the_readers_spreadsheet_and_holds_no_formula(
    language: str, delimiter: str, amount: str, first: str
) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", 'a "quoted"; text, with\nlines', "fine"]
    found = driver_statement(
        [posting(text, None if text == "fine" else "=E1") for text in texts],
        opening=Money(available=money("10000.00")),
        driver_id=new_id(),
        first=FIRST,
        last=FIRST,
    )
    rows = list(
        csv.reader(StringIO(statement_csv(found, language=language), newline=""), delimiter=delimiter)
    )
    assert len(rows) == len(texts) + 3
    assert {len(row) for row in rows} == {12}
    assert rows[1][3] == first
    assert [row[3] for row in rows[2:8]] == [f"'{text}" for text in texts[:6]]
    assert [row[3] for row in rows[8:10]] == texts[6:]
    assert (rows[2][4], rows[9][4], rows[2][5]) == ("'=E1", "", amount)
    assert rows[2][1] == "2026-03-10 12:00:00"
    assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for row in rows for cell in row)
