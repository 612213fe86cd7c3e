"""What administrators see of the accounts."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from contracts.base import Money
from ledger.domain.chart import (
    BANK,
    DRIVER_PAYABLE,
    DRIVER_RECEIVABLE,
    PASSENGER_CREDIT,
    PAYOUT_IN_TRANSIT,
    UNIDENTIFIED_PIX,
    Account,
)
from ledger.domain.financial_report import DayMoney, FinancialReport, ReportDay
from ledger.domain.reports import AccountLine, BalanceSheet, IncomeStatement, TrialBalance
from web import View


class AccountView(View):
    """An account of the chart; a header has no balance."""

    code: str
    name: str
    account_type: str
    classification: str
    normal_side: str
    owner: str | None
    balance: Money | None

    @classmethod
    def of(cls, account: Account, balance: Decimal | None) -> "AccountView":
        return cls(
            code=account.code,
            name=account.name,
            account_type=account.account_type,
            classification=account.classification,
            normal_side=account.normal_side,
            owner=account.owner,
            balance=balance,
        )


class AccountsView(View):
    data: list[AccountView]


class AccountBalanceView(View):
    """On the account's normal side, by one of the two times of each posting."""

    code: str
    name: str
    owner_id: UUID | None
    as_of: datetime
    by: str
    balance: Money


class LineView(View):
    """One account in a report: debits, credits, and the balance on its normal side."""

    code: str
    name: str
    account_type: str
    debits: Money
    credits: Money
    balance: Money

    @classmethod
    def of(cls, line: AccountLine) -> "LineView":
        return cls(
            code=line.account.code,
            name=line.account.name,
            account_type=line.account.account_type,
            debits=line.turnover.debits,
            credits=line.turnover.credits,
            balance=line.balance,
        )


def _lines(lines: tuple[AccountLine, ...]) -> list[LineView]:
    return [LineView.of(line) for line in lines]


class TrialBalanceView(View):
    """At the end of a day of posting, since the beginning; `difference` is 0.00."""

    day: date
    lines: list[LineView]
    debits: Money
    credits: Money
    difference: Money

    @classmethod
    def of(cls, found: TrialBalance) -> "TrialBalanceView":
        return cls(
            day=found.day,
            lines=_lines(found.lines),
            debits=found.totals.debits,
            credits=found.totals.credits,
            difference=found.difference,
        )


class IncomeStatementView(View):
    """From one day of posting to another, both included."""

    first: date
    last: date
    income: list[LineView]
    expenses: list[LineView]
    income_total: Money
    expenses_total: Money
    result: Money

    @classmethod
    def of(cls, found: IncomeStatement) -> "IncomeStatementView":
        return cls(
            first=found.first,
            last=found.last,
            income=_lines(found.income),
            expenses=_lines(found.expenses),
            income_total=found.income_total,
            expenses_total=found.expenses_total,
            result=found.result,
        )


class BalanceSheetView(View):
    """Assets = liabilities + equity + result; `difference` is 0.00."""

    day: date
    assets: list[LineView]
    liabilities: list[LineView]
    equity: list[LineView]
    assets_total: Money
    liabilities_total: Money
    equity_total: Money
    result: Money
    difference: Money

    @classmethod
    def of(cls, found: BalanceSheet) -> "BalanceSheetView":
        return cls(
            day=found.day,
            assets=_lines(found.assets),
            liabilities=_lines(found.liabilities),
            equity=_lines(found.equity),
            assets_total=found.assets_total,
            liabilities_total=found.liabilities_total,
            equity_total=found.equity_total,
            result=found.result,
            difference=found.difference,
        )


class PositionView(View):
    """What the accounts hold at the end of a day."""

    bank: Money
    drivers_payable: Money
    payouts_in_transit: Money
    passenger_credits: Money
    unidentified_pix: Money
    drivers_receivable: Money

    @classmethod
    def of(cls, held: Mapping[str, Decimal]) -> "PositionView":
        return cls(
            bank=held[BANK],
            drivers_payable=held[DRIVER_PAYABLE],
            payouts_in_transit=held[PAYOUT_IN_TRANSIT],
            passenger_credits=held[PASSENGER_CREDIT],
            unidentified_pix=held[UNIDENTIFIED_PIX],
            drivers_receivable=held[DRIVER_RECEIVABLE],
        )


class FlowsView(View):
    """What moved. A reversal is taken off on the day on which it is posted."""

    rides_paid: int
    gross_revenue: Money
    commission: Money
    drivers_part: Money
    fees: Money
    refunds: Money
    refunds_of_commission: Money
    refunds_of_drivers_part: Money
    refunds_borne: Money
    credits_refunded: Money
    payouts_completed: Money
    payouts_completed_count: int
    payouts_returned: Money
    payouts_returned_count: int

    @classmethod
    def of(cls, money: DayMoney) -> "FlowsView":
        return cls.model_validate(money)


class ReportDayView(View):
    day: date
    flows: FlowsView
    closing: PositionView

    @classmethod
    def of(cls, day: ReportDay) -> "ReportDayView":
        return cls(day=day.day, flows=FlowsView.of(day.money), closing=PositionView.of(day.closing))


class FinancialReportView(View):
    """Day by day and in all, by day of posting in São Paulo."""

    currency: str
    first: date
    last: date
    opening: PositionView
    days: list[ReportDayView]
    total: FlowsView
    closing: PositionView

    @classmethod
    def of(cls, found: FinancialReport) -> "FinancialReportView":
        return cls(
            currency="BRL",
            first=found.first,
            last=found.last,
            opening=PositionView.of(found.opening),
            days=[ReportDayView.of(day) for day in found.days],
            total=FlowsView.of(found.total),
            closing=PositionView.of(found.days[-1].closing),
        )
