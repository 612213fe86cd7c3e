"""A driver's money, for that driver and for admins."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

import web
from kernel.refusals import NotFound
from ledger.api.days import From, To
from ledger.api.deps import DepsDep
from ledger.api.statement_csv import statement_csv
from ledger.api.statement_views import StatementView
from ledger.api.views import BalanceView, FinancialsView
from ledger.domain.reports import InvalidPeriod
from ledger.usecases.get_driver_balance import get_driver_balance
from ledger.usecases.get_driver_financials import get_driver_financials
from ledger.usecases.get_driver_statement import get_driver_statement
from web import Principal
from web.problems import language_of

router = APIRouter(
    prefix="/drivers", tags=["drivers"], dependencies=[Depends(web.requires("driver", "admin"))]
)


async def _own_money(request: Request) -> Principal:
    """Another driver's money does not exist for this one, whatever is asked about it."""
    principal = await web.authenticate(request)
    own = request.path_params["driver_id"].lower() == str(principal.user_id)
    web.not_found_unless(own or principal.user_type == "admin")
    return principal


OwnMoney = Annotated[Principal, Depends(web.before_body(_own_money))]


@router.get("/{driver_id}/balance", operation_id="get_driver_balance", responses=web.errors(NotFound))
async def balance(driver_id: UUID, _: OwnMoney, deps: DepsDep) -> BalanceView:
    """What the platform owes the driver now."""
    async with deps.transaction() as tx:
        found = await get_driver_balance(tx, driver_id=driver_id)
    return BalanceView.of(found, now=deps.now())


@router.get("/{driver_id}/financials", operation_id="get_driver_financials", responses=web.errors(NotFound))
async def financials(driver_id: UUID, _: OwnMoney, deps: DepsDep) -> FinancialsView:
    """The balance, the earnings of the day, week and month, and the last payout."""
    now = deps.now()
    async with deps.transaction() as tx:
        found, earnings = await get_driver_financials(tx, driver_id=driver_id, now=now)
    return FinancialsView.of(found, earnings, now=now)


class StatementFormat(StrEnum):
    JSON = "json"
    CSV = "csv"


@router.get(
    "/{driver_id}/statement",
    operation_id="get_driver_statement",
    response_model=StatementView,
    responses={**web.errors(NotFound, InvalidPeriod), 200: {"content": {"text/csv": {}}}},
)
async def statement(
    driver_id: UUID,
    _: OwnMoney,
    request: Request,
    deps: DepsDep,
    first: From,
    last: To,
    form: Annotated[StatementFormat, Query(alias="format")] = StatementFormat.JSON,
) -> StatementView | Response:
    """What moved the driver's money from one São Paulo day of posting to another, 92 days at most."""
    async with deps.transaction() as tx:
        found = await get_driver_statement(tx, driver_id=driver_id, first=first, last=last)
    if form is StatementFormat.JSON:
        return StatementView.of(found)
    headers = {
        "content-disposition": f'attachment; filename="extrato-{first}-{last}.csv"',
        "vary": "Accept-Language",
    }
    text = statement_csv(found, language=language_of(request))
    return Response(text.encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)
