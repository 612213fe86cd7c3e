"""What the accounts say as of a day or over a period: trial balance, income statement, balance sheet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from kernel.money import ZERO
from kernel.refusals import FieldError, Invalid
from ledger.domain.as_of import Turnover
from ledger.domain.chart import CHART, Account, AccountType, Classification

LONGEST_DAYS: Final = 92


class InvalidPeriod(Invalid):
    """The period ends before it begins, or is longer than 92 days."""

    code = "invalid_period"
    pt = "O período deve ter de 1 a 92 dias."
    en = "The period must have 1 to 92 days."

    def __init__(self) -> None:
        super().__init__(errors=[FieldError(pointer="/query/to", code=self.code, detail=self.en)])


def check_period(first: date, last: date) -> None:
    """InvalidPeriod unless `first` to `last` (both included) are 1 to 92 days."""
    if not 1 <= (last - first).days + 1 <= LONGEST_DAYS:
        raise InvalidPeriod


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """One account in a report."""

    account: Account
    turnover: Turnover

    @property
    def balance(self) -> Decimal:
        return self.turnover.balance(self.account.code)


def lines_of(turnovers: Mapping[str, Turnover], *types: AccountType) -> tuple[AccountLine, ...]:
    """Every detail account of these types (of all, when none is named), in the chart's order."""
    return tuple(
        AccountLine(account=account, turnover=turnovers.get(account.code, Turnover()))
        for account in CHART
        if account.classification is Classification.DETAIL and (not types or account.account_type in types)
    )


def _total(lines: Iterable[AccountLine]) -> Decimal:
    return sum((line.balance for line in lines), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalance:
    """All accounts at the end of a day."""

    day: date
    lines: tuple[AccountLine, ...]

    @property
    def totals(self) -> Turnover:
        """All debits and all credits: equal, or a bug."""
        return Turnover(
            debits=sum((line.turnover.debits for line in self.lines), ZERO),
            credits=sum((line.turnover.credits for line in self.lines), ZERO),
        )

    @property
    def difference(self) -> Decimal:
        return self.totals.debits - self.totals.credits


def trial_balance(turnovers: Mapping[str, Turnover], *, day: date) -> TrialBalance:
    """Sums since the beginning, up to and including `day`."""
    return TrialBalance(day=day, lines=lines_of(turnovers))


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeStatement:
    """What was earned and spent from one day to another, both included."""

    first: date
    last: date
    income: tuple[AccountLine, ...]
    expenses: tuple[AccountLine, ...]

    @property
    def income_total(self) -> Decimal:
        return _total(self.income)

    @property
    def expenses_total(self) -> Decimal:
        return _total(self.expenses)

    @property
    def result(self) -> Decimal:
        return self.income_total - self.expenses_total


def income_statement(
    before: Mapping[str, Turnover], after: Mapping[str, Turnover], *, first: date, last: date
) -> IncomeStatement:
    """From the sums at the end of the day before `first` and those at the end of `last`."""
    moved = {code: turnover.less(before.get(code, Turnover())) for code, turnover in after.items()}
    return IncomeStatement(
        first=first,
        last=last,
        income=lines_of(moved, AccountType.INCOME),
        expenses=lines_of(moved, AccountType.EXPENSE),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceSheet:
    """What there is, what is owed, and what remains, at the end of a day."""

    day: date
    assets: tuple[AccountLine, ...]
    liabilities: tuple[AccountLine, ...]
    equity: tuple[AccountLine, ...]
    result: Decimal

    @property
    def assets_total(self) -> Decimal:
        return _total(self.assets)

    @property
    def liabilities_total(self) -> Decimal:
        return _total(self.liabilities)

    @property
    def equity_total(self) -> Decimal:
        return _total(self.equity)

    @property
    def difference(self) -> Decimal:
        """Assets less liabilities, equity and result: zero, or a bug."""
        return self.assets_total - self.liabilities_total - self.equity_total - self.result


def balance_sheet(turnovers: Mapping[str, Turnover], *, day: date) -> BalanceSheet:
    """`result` is all income less all expenses so far: the accounts are never closed into the capital."""
    income, expenses = lines_of(turnovers, AccountType.INCOME), lines_of(turnovers, AccountType.EXPENSE)
    return BalanceSheet(
        day=day,
        assets=lines_of(turnovers, AccountType.ASSET),
        liabilities=lines_of(turnovers, AccountType.LIABILITY),
        equity=lines_of(turnovers, AccountType.EQUITY),
        result=_total(income) - _total(expenses),
    )
