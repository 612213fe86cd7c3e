"""A driver's money, for that driver and for admins."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

import web
from kernel.refusals import NotFound
from ledger.api.deps import DepsDep
from ledger.api.views import BalanceView, FinancialsView
from ledger.usecases.get_driver_balance import get_driver_balance
from ledger.usecases.get_driver_financials import get_driver_financials
from web import Principal

router = APIRouter(prefix="/drivers", tags=["drivers"])

DriverOrAdmin = Annotated[Principal, Depends(web.requires("driver", "admin"))]


@router.get("/{driver_id}/balance", operation_id="get_driver_balance", responses=web.errors(NotFound))
async def balance(driver_id: UUID, principal: DriverOrAdmin, deps: DepsDep) -> BalanceView:
    """What the platform owes the driver now."""
    _own(driver_id, principal)
    async with deps.reading() as tx:
        found = await get_driver_balance(tx, driver_id=driver_id)
    return BalanceView.of(found, now=deps.now())


@router.get("/{driver_id}/financials", operation_id="get_driver_financials", responses=web.errors(NotFound))
async def financials(driver_id: UUID, principal: DriverOrAdmin, deps: DepsDep) -> FinancialsView:
    """The balance, the earnings of the day, week and month, and the last payout."""
    _own(driver_id, principal)
    now = deps.now()
    async with deps.reading() as tx:
        found, earnings = await get_driver_financials(tx, driver_id=driver_id, now=now)
    return FinancialsView.of(found, earnings, now=now)


def _own(driver_id: UUID, principal: Principal) -> None:
    """Another driver's money does not exist for this one."""
    web.not_found_unless(principal.user_type == "admin" or principal.user_id == driver_id)
