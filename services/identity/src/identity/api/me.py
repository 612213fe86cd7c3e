"""A user's own account."""

from fastapi import APIRouter

import web
from identity.api.deps import DepsDep
from identity.api.views import MeView
from identity.usecases.read_me import read_me

router = APIRouter(tags=["me"])


@router.get("/me", operation_id="read_me")
async def get_me(principal: web.AnyUser, deps: DepsDep) -> MeView:
    """The caller's account with its passenger or driver profile; documents are masked."""
    async with deps.transaction() as tx:
        account = await read_me(tx, user_id=principal.user_id)
    return MeView.of(account)
