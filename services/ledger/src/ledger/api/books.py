"""The accounts and what they add up to, for administrators."""

from uuid import UUID

from fastapi import APIRouter

import web
from kernel.business_day import business_day
from kernel.refusals import NotFound
from ledger.api.book_views import (
    AccountBalanceView,
    AccountsView,
    AccountView,
    BalanceSheetView,
    FinancialReportView,
    IncomeStatementView,
    TrialBalanceView,
)
from ledger.api.days import AsOf, DayQuery, From, To
from ledger.api.deps import DepsDep
from ledger.domain.as_of import By, Moment
from ledger.domain.chart import UnknownAccount, detail_account
from ledger.domain.reports import InvalidPeriod
from ledger.usecases.get_account_balance import NoOwners, get_account_balance
from ledger.usecases.get_balance_sheet import get_balance_sheet
from ledger.usecases.get_financials_report import get_financials_report
from ledger.usecases.get_income_statement import get_income_statement
from ledger.usecases.get_trial_balance import get_trial_balance
from ledger.usecases.list_accounts import list_accounts
from web import AdminOnly

router = APIRouter(prefix="/admin", tags=["books"])


@router.get("/ledger/accounts", operation_id="list_accounts")
async def accounts(_: AdminOnly, deps: DepsDep) -> AccountsView:
    """The chart of accounts and what each holds now."""
    async with deps.reading() as tx:
        found = await list_accounts(tx)
    return AccountsView(data=[AccountView.of(account, balance) for account, balance in found])


@router.get(
    "/ledger/accounts/{code}/balance",
    operation_id="get_account_balance",
    responses=web.errors(NotFound, NoOwners),
)
async def account_balance(
    code: str,
    _: AdminOnly,
    deps: DepsDep,
    as_of: AsOf = None,
    by: By = By.RECORDED,
    owner_id: UUID | None = None,
) -> AccountBalanceView:
    """One account, or one person's part of it, as of a moment: by when it happened, or by when it was posted."""
    try:
        account = detail_account(code)
    except UnknownAccount as unknown:
        raise NotFound(code) from unknown
    moment = Moment(at=as_of or deps.now(), by=by)
    async with deps.reading() as tx:
        balance = await get_account_balance(tx, code=code, owner_id=owner_id, as_of=moment)
    return AccountBalanceView(
        code=code, name=account.name, owner_id=owner_id, as_of=moment.at, by=by, balance=balance
    )


@router.get("/ledger/trial-balance", operation_id="get_trial_balance")
async def trial_balance(_: AdminOnly, deps: DepsDep, day: DayQuery = None) -> TrialBalanceView:
    """All accounts at the end of a São Paulo day of posting; today when none is named."""
    async with deps.reading() as tx:
        await tx.at_one_moment()
        found = await get_trial_balance(tx, day=day or business_day(deps.now()))
    return TrialBalanceView.of(found)


@router.get(
    "/ledger/income-statement", operation_id="get_income_statement", responses=web.errors(InvalidPeriod)
)
async def income_statement(_: AdminOnly, deps: DepsDep, first: From, last: To) -> IncomeStatementView:
    """Income, expenses and the result from one day of posting to another."""
    async with deps.reading() as tx:
        found = await get_income_statement(tx, first=first, last=last)
    return IncomeStatementView.of(found)


@router.get("/ledger/balance-sheet", operation_id="get_balance_sheet")
async def balance_sheet(_: AdminOnly, deps: DepsDep, day: DayQuery = None) -> BalanceSheetView:
    """Assets, liabilities, equity and result at the end of a São Paulo day of posting; today when none is named."""
    async with deps.reading() as tx:
        await tx.at_one_moment()
        found = await get_balance_sheet(tx, day=day or business_day(deps.now()))
    return BalanceSheetView.of(found)


@router.get("/financials/report", operation_id="get_financials_report", responses=web.errors(InvalidPeriod))
async def financials_report(_: AdminOnly, deps: DepsDep, first: From, last: To) -> FinancialReportView:
    """Rides paid, revenue, refunds and payouts, day by day, 92 days at most; all of it from the books."""
    async with deps.reading() as tx:
        found = await get_financials_report(tx, first=first, last=last)
    return FinancialReportView.of(found)
