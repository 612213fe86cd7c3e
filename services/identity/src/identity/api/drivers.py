"""What a driver changes of their own profile."""

from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request

import web
from identity.api.bodies import PixKeyBody
from identity.api.deps import DepsDep
from identity.api.sentences import told_in_the_language_of
from identity.api.views import PixKeyView
from identity.domain.account import AlreadyRegistered
from identity.domain.application import check_pix_key
from identity.usecases.change_pix_key import change_pix_key
from kernel.refusals import NotFound
from telemetry import get_logger
from web.principals import authenticate, before_body

log = get_logger(__name__)
router = APIRouter(prefix="/drivers", tags=["drivers"])


async def _that_driver(request: Request) -> None:
    """NotFound for another's profile, decided before the body is read."""
    principal = await authenticate(request)
    web.not_found_unless(request.path_params["driver_id"].lower() == str(principal.user_id))


ThatDriver = Depends(before_body(_that_driver))


@router.put(
    "/{driver_id}/pix-key",
    operation_id="change_pix_key",
    dependencies=[ThatDriver],
    responses=web.errors(NotFound, AlreadyRegistered),
)
async def put_pix_key(
    driver_id: UUID, principal: web.DriverOnly, body: PixKeyBody, request: Request, deps: DepsDep
) -> PixKeyView:
    """Change the Pix key that payouts are sent to."""
    with told_in_the_language_of(request):
        pix_key = check_pix_key(body.pix_key, pix_key_type=body.pix_key_type)
    async with deps.transaction() as tx:
        account = await change_pix_key(
            tx,
            driver_id=driver_id,
            pix_key=pix_key,
            pix_key_type=body.pix_key_type,
            actor=web.actor(request, principal),
            now=tx.now(),
        )
    log.info("change_pix_key", driver_id=str(driver_id))
    return PixKeyView.of(account.the_driver())
