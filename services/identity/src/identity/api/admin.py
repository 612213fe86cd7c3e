"""What administrators decide about drivers and users."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request

import web
from identity.api.bodies import ReasonBody
from identity.api.deps import DepsDep
from identity.api.views import ReviewView
from identity.domain.account import Account
from identity.domain.user import IllegalTransition, OwnAccount
from identity.usecases.approve_driver import approve_driver
from identity.usecases.ban_user import ban_user
from identity.usecases.list_pending_drivers import list_pending_drivers
from identity.usecases.reinstate_user import reinstate_user
from identity.usecases.reject_driver import reject_driver
from identity.usecases.suspend_user import suspend_user
from kernel.refusals import NotFound
from telemetry import get_logger

log = get_logger(__name__)
router = APIRouter(prefix="/admin", tags=["admin"])

DECISION: dict[int | str, dict[str, Any]] = web.errors(NotFound, IllegalTransition)
STATUS: dict[int | str, dict[str, Any]] = web.errors(NotFound, IllegalTransition, OwnAccount)


@router.get("/drivers/pending", operation_id="list_pending_drivers", response_model=web.Page[ReviewView])
async def get_pending(
    _: web.AdminOnly, deps: DepsDep, limit: web.Limit, cursor: web.Cursor
) -> dict[str, Any]:
    """Drivers who wait for approval, the longest waiting first."""
    after = cast("tuple[datetime, UUID] | None", web.decode_cursor(cursor))
    async with deps.reading() as tx:
        waiting = await list_pending_drivers(tx, limit=limit + 1, after=after)
    return web.page(waiting, limit=limit, cursor_of=_waiting_since, view=ReviewView.of)


@router.post("/drivers/{driver_id}/approve", operation_id="approve_driver", responses=DECISION)
async def post_approve(
    driver_id: UUID, principal: web.AdminOnly, request: Request, deps: DepsDep
) -> ReviewView:
    """Let a pending or rejected driver drive."""
    async with deps.transaction() as tx:
        actor = web.actor(request, principal)
        account = await approve_driver(tx, driver_id=driver_id, actor=actor, now=tx.now())
    return _decided("approve_driver", account)


@router.post("/drivers/{driver_id}/reject", operation_id="reject_driver", responses=DECISION)
async def post_reject(
    driver_id: UUID, principal: web.AdminOnly, body: ReasonBody, request: Request, deps: DepsDep
) -> ReviewView:
    """Refuse a pending driver's application."""
    async with deps.transaction() as tx:
        actor = web.actor(request, principal)
        account = await reject_driver(tx, driver_id=driver_id, reason=body.reason, actor=actor, now=tx.now())
    return _decided("reject_driver", account)


@router.post("/users/{user_id}/suspend", operation_id="suspend_user", responses=STATUS)
async def post_suspend(
    user_id: UUID, principal: web.AdminOnly, body: ReasonBody, request: Request, deps: DepsDep
) -> ReviewView:
    """Keep a user out until reinstated; every session ends within five seconds."""
    async with deps.transaction() as tx:
        actor = web.actor(request, principal)
        account = await suspend_user(tx, user_id=user_id, reason=body.reason, actor=actor, now=tx.now())
    return _decided("suspend_user", account)


@router.post("/users/{user_id}/reinstate", operation_id="reinstate_user", responses=DECISION)
async def post_reinstate(
    user_id: UUID, principal: web.AdminOnly, body: ReasonBody, request: Request, deps: DepsDep
) -> ReviewView:
    """Let a suspended or banned user log in again."""
    async with deps.transaction() as tx:
        actor = web.actor(request, principal)
        account = await reinstate_user(tx, user_id=user_id, reason=body.reason, actor=actor, now=tx.now())
    return _decided("reinstate_user", account)


@router.post("/users/{user_id}/ban", operation_id="ban_user", responses=STATUS)
async def post_ban(
    user_id: UUID, principal: web.AdminOnly, body: ReasonBody, request: Request, deps: DepsDep
) -> ReviewView:
    """Keep a user out for good; every session ends within five seconds."""
    async with deps.transaction() as tx:
        actor = web.actor(request, principal)
        account = await ban_user(tx, user_id=user_id, reason=body.reason, actor=actor, now=tx.now())
    return _decided("ban_user", account)


def _waiting_since(account: Account) -> tuple[datetime, UUID]:
    return account.user.created_at, account.id


def _decided(verb: str, account: Account) -> ReviewView:
    log.info(verb, subject_id=str(account.id))
    return ReviewView.of(account)
