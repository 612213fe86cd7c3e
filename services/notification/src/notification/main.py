"""The only wiring place of notification: `notification api | worker | all | migrate | rebuild`."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from valkey.asyncio import Valkey

import messaging
import storage.migrations
import telemetry
import web
from kernel.clock import Clock, SystemClock
from notification.adapters.fast_path import ValkeyAnnouncements, ValkeyAnnouncer, ValkeyTickets
from notification.adapters.transaction import NotificationTransaction
from notification.api import sockets, tickets
from notification.api.hub import Hub
from notification.consumers import HANDLERS, streams
from notification.domain.ticket import Holder
from notification.jobs import timetable
from notification.ports import Announcer, FastTickets
from notification.settings import Settings
from storage import Database
from web import Principal, TokenVerifier

SERVICE = "notification"
TITLE = "Ibora notification"
FOLDER = Path(__file__).resolve().parents[2]
VALKEY_TIMEOUT_S = 1.0
NOWHERE = "redis://127.0.0.1:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What routes, effects and jobs work with."""

    transaction: Callable[[], AbstractAsyncContextManager[NotificationTransaction]]
    fast_tickets: FastTickets
    hub: Hub
    ticket_ttl_s: int
    heartbeat_s: int
    public_url: str
    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()


def build(
    settings: Settings,
    *,
    mode: web.Mode = "all",
    clock: Clock | None = None,
    verifier: TokenVerifier | None = None,
) -> FastAPI:
    """The app of one process. `api` holds sockets, `worker` writes the logs, `all` does both."""
    clock = clock or SystemClock()
    verifier = verifier or web.make_verifier(settings)
    valkey = _valkey(settings, socket_timeout=VALKEY_TIMEOUT_S)
    # Its connection waits for messages as long as it takes, so reading has no time-out.
    listening = _valkey(settings, health_check_interval=15)
    announcer, announcements = ValkeyAnnouncer(valkey), ValkeyAnnouncements(listening)
    make = partial(NotificationTransaction, announce=announcer.announce)
    database = Database(settings, service=SERVICE, make=make, clock=clock)
    over = partial(_over, verifier)
    hub = Hub(announcements, transaction=database.transaction, over=over, now=clock.now)
    deps = Deps(
        transaction=database.transaction,
        fast_tickets=ValkeyTickets(valkey),
        hub=hub,
        ticket_ttl_s=settings.ticket_ttl_s,
        heartbeat_s=settings.heartbeat_s,
        public_url=settings.public_url,
        clock=clock,
    )
    closing = [database.dispose, valkey.aclose, announcements.aclose, listening.aclose]
    background: list[web.Background] = [web.Closing(close) for close in closing]
    checks: dict[str, Callable[[], Awaitable[None]]] = {"database": database.ready}
    if mode != "worker":
        background.append(hub)
    if mode != "api":
        worker = _worker(settings, database, deps, announcer=announcer)
        background.append(worker)
        checks["worker"] = worker.ready
    return web.create_app(
        service=SERVICE,
        title=TITLE,
        settings=settings,
        routers=[] if mode == "worker" else [tickets.router, sockets.router],
        deps=deps,
        verifier=verifier,
        background=background,
        checks=checks,
    )


def _worker(
    settings: Settings, database: Database[NotificationTransaction], deps: Deps, *, announcer: Announcer
) -> messaging.Worker[NotificationTransaction]:
    return messaging.Worker(
        database=database,
        settings=settings,
        service=SERVICE,
        handlers=HANDLERS,
        streams=streams(announcer),
        jobs=timetable(deps),
        clock=deps.clock,
    )


def _valkey(settings: Settings, **options: Any) -> Valkey:
    """A client that connects when it is used; without an address it is as if Valkey were away."""
    valkey: Valkey = Valkey.from_url(
        settings.valkey_url or NOWHERE,
        decode_responses=True,
        socket_connect_timeout=VALKEY_TIMEOUT_S,
        **options,
    )
    return valkey


def _over(verifier: TokenVerifier | None, holder: Holder) -> bool:
    """Whether the holder's session was revoked since the ticket was issued."""
    if verifier is None or verifier.revocations is None:
        return False
    principal = Principal(
        user_id=holder.user_id,
        user_type=holder.user_type,
        session_id=holder.session_id,
        token_id="",  # a session or a user is revoked, never one token
        issued_at=holder.issued_at,
        expires_at=holder.expires_at,
    )
    return verifier.revocations.revoked(principal)


def describe() -> FastAPI:
    """The routes with nothing opened: `make schemas` reads its OpenAPI."""
    return web.create_app(
        service=SERVICE,
        title=TITLE,
        settings=web.WebSettings(),
        routers=[tickets.router, sockets.router],
    )


def _serve(mode: web.Mode) -> None:
    settings = Settings()
    telemetry.configure(SERVICE, settings)
    web.serve(build(settings, mode=mode), settings)


def _migrate() -> None:
    storage.migrations.run(FOLDER, Settings())


cli = web.service_cli(SERVICE, serve=_serve, migrate=_migrate)
