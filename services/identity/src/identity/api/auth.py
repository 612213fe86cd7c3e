"""Registering, logging in, refreshing, logging out."""

import secrets
from typing import Final

from fastapi import APIRouter, Response
from starlette.requests import Request

import web
from identity import metrics
from identity.api.bodies import LoginBody, LogoutBody, RefreshBody, RegisterBody
from identity.api.deps import Anyone, Deps, DepsDep
from identity.api.sentences import told_in_the_language_of
from identity.api.views import RegisteredView, TokensView
from identity.domain.account import AlreadyRegistered
from identity.domain.application import check_application
from identity.domain.attempts import TooManyAttempts
from identity.domain.login import Login, WrongCredentials
from identity.domain.session import Grant, RefreshRefused
from identity.domain.user import UserIsBanned, UserIsSuspended
from identity.effects.log_in import log_in
from identity.usecases.refresh_session import refresh_session
from identity.usecases.register_user import register_user
from identity.usecases.revoke_session import revoke_session
from kernel.business_day import business_day
from kernel.ids import new_id
from kernel.refusals import Refusal
from telemetry import get_logger

log = get_logger(__name__)
router = APIRouter(prefix="/auth", tags=["auth"])

NONCE_BYTES: Final = 32


@router.post(
    "/register",
    operation_id="register_user",
    status_code=201,
    response_model_exclude_none=True,
    responses=web.errors(AlreadyRegistered),
)
async def post_register(
    body: RegisterBody, request: Request, deps: DepsDep, anyone: Anyone
) -> RegisteredView:
    """Open a passenger's account, or apply as a driver with vehicle, licence and Pix key."""
    this_year = business_day(deps.now()).year
    with told_in_the_language_of(request):
        application = check_application(body.application(), this_year=this_year)
    password_hash = await deps.passwords.hash(body.password)
    async with deps.transaction() as tx:
        account = await register_user(
            tx,
            application=application,
            password_hash=password_hash,
            user_id=new_id(),
            vehicle_id=new_id(),
            actor=anyone,
            now=tx.now(),
        )
    metrics.REGISTRATIONS.labels(user_type=account.user.user_type.value).inc()
    log.info("register_user", user_id=str(account.id), user_type=account.user.user_type.value)
    return RegisteredView.of(account)


@router.post(
    "/login",
    operation_id="log_in",
    responses=web.errors(WrongCredentials, UserIsSuspended, UserIsBanned, TooManyAttempts),
)
async def post_login(body: LoginBody, response: Response, deps: DepsDep, anyone: Anyone) -> TokensView:
    """Open a session with an e-mail or phone and the password."""
    with metrics.counting_logins():
        grant = await log_in(
            deps.transaction,
            login=Login.parse(body.login),
            password=body.password,
            address=anyone.ip_address,
            passwords=deps.passwords,
            attempts=deps.attempts,
            policy=deps.policy,
        )
    log.info("log_in", user_id=str(grant.session.user_id), session_id=str(grant.session.id))
    return _tokens(grant, response=response, deps=deps)


@router.post("/refresh", operation_id="refresh_session", responses=web.errors(RefreshRefused))
async def post_refresh(body: RefreshBody, response: Response, deps: DepsDep, anyone: Anyone) -> TokensView:
    """Exchange a refresh token for its successor and a new access token. Using one twice ends the session."""
    async with deps.transaction() as tx:
        outcome = await refresh_session(
            tx,
            refresh_token=body.refresh_token,
            nonce=secrets.token_bytes(NONCE_BYTES),
            key=deps.refresh_key,
            policy=deps.policy,
            actor=anyone,
            now=tx.now(),
        )
    if isinstance(outcome, Refusal):
        metrics.REFRESHES.labels(result=outcome.code).inc()
        raise outcome
    metrics.REFRESHES.labels(result="ok").inc()
    return _tokens(outcome, response=response, deps=deps)


@router.post("/logout", operation_id="revoke_session", status_code=204)
async def post_logout(principal: web.AnyUser, deps: DepsDep, body: LogoutBody | None = None) -> None:
    """End the session, its access tokens and its refresh tokens."""
    async with deps.transaction() as tx:
        await revoke_session(
            tx,
            user_id=principal.user_id,
            session_id=principal.session_id,
            refresh_token=body.refresh_token if body else None,
            now=tx.now(),
        )
    log.info("revoke_session", user_id=str(principal.user_id), session_id=str(principal.session_id))


def _tokens(grant: Grant, *, response: Response, deps: Deps) -> TokensView:
    # RFC 6749 §5.1: nobody on the way keeps a copy.
    response.headers["cache-control"] = "no-store"
    return TokensView(
        access_token=deps.tokens.issue(grant.session),
        refresh_token=grant.refresh_token,
        expires_in=deps.policy.access_ttl_s,
    )
