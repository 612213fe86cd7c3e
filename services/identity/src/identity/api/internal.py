"""What other services ask. The gateway routes none of this."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

import web
from identity.api.deps import DepsDep, ServiceOnly
from identity.api.views import BankDetailsView
from identity.domain.session import Revocation
from identity.usecases.list_revocations import list_revocations
from identity.usecases.read_bank_details import read_bank_details
from kernel.refusals import NotFound
from telemetry import get_logger
from web import revocations as told

log = get_logger(__name__)
router = APIRouter(prefix="/internal", tags=["internal"])


@router.get(
    "/drivers/{driver_id}/bank-details", operation_id="read_bank_details", responses=web.errors(NotFound)
)
async def get_bank_details(driver_id: UUID, service: ServiceOnly, deps: DepsDep) -> BankDetailsView:
    """Where a driver's payout goes, in clear; every reading is audited."""
    async with deps.transaction() as tx:
        account = await read_bank_details(tx, driver_id=driver_id, actor=service, now=tx.now())
    log.info("read_bank_details", driver_id=str(driver_id))
    return BankDetailsView.of(account)


@router.get("/revocations", operation_id="list_revocations")
async def get_revocations(
    deps: DepsDep, since: Annotated[web.UtcTime | None, Query()] = None
) -> told.RevocationList:
    """Sessions revoked since then whose access tokens may still be alive. Holds no secret: ids and times."""
    async with deps.transaction() as tx:
        now = tx.now()
        revoked = await list_revocations(tx, since=since, policy=deps.policy, now=now)
    return told.RevocationList(data=[_told(one) for one in revoked], as_of=now)


def _told(revocation: Revocation) -> told.Revocation:
    return told.Revocation(
        session_id=revocation.session_id, not_before=revocation.revoked_at, expires_at=revocation.until
    )
