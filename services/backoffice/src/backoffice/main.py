"""The only wiring place of backoffice: `backoffice api | worker | all | migrate | rebuild`."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

import messaging
import storage.migrations
import telemetry
import web
from backoffice.adapters.transaction import BackofficeTransaction
from backoffice.api import audit
from backoffice.consumers import HANDLERS
from backoffice.settings import Settings
from kernel.clock import Clock, SystemClock
from storage import Database

SERVICE = "backoffice"
TITLE = "Ibora backoffice"
FOLDER = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What routes work with: the audit log may lag, so it is read from the replica."""

    transaction: Callable[[], AbstractAsyncContextManager[BackofficeTransaction]]
    reading: Callable[[], AbstractAsyncContextManager[BackofficeTransaction]]


def build(
    settings: Settings,
    *,
    mode: web.Mode = "all",
    clock: Clock | None = None,
    verifier: web.TokenVerifier | None = None,
) -> FastAPI:
    """The app of one process; a worker has no routes of its own beside health and metrics."""
    clock = clock or SystemClock()
    database = Database(settings, service=SERVICE, make=BackofficeTransaction, clock=clock)
    checks: dict[str, Callable[[], Awaitable[None]]] = {"database": database.ready}
    background: list[web.Background] = [web.Closing(database.dispose)]
    if mode != "api":
        worker = messaging.Worker(
            database=database, settings=settings, service=SERVICE, handlers=HANDLERS, clock=clock
        )
        background.append(worker)
        checks["worker"] = worker.ready
    return web.create_app(
        service=SERVICE,
        title=TITLE,
        settings=settings,
        routers=[] if mode == "worker" else [audit.router],
        deps=Deps(transaction=database.transaction, reading=database.reading),
        verifier=verifier,
        background=background,
        checks=checks,
    )


def describe() -> FastAPI:
    """The routes with nothing opened: `make schemas` reads its OpenAPI."""
    return web.create_app(service=SERVICE, title=TITLE, settings=web.WebSettings(), routers=[audit.router])


def _serve(mode: web.Mode) -> None:
    settings = Settings()
    telemetry.configure(SERVICE, settings)
    web.serve(build(settings, mode=mode), settings)


def _migrate() -> None:
    storage.migrations.run(FOLDER, Settings())


cli = web.service_cli(SERVICE, serve=_serve, migrate=_migrate)
