"""The only wiring place of backoffice: `backoffice api | worker | all | migrate | rebuild`."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
Mode = Literal["api", "worker", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What routes work with: the audit log may lag, so it is read from the replica."""

    transaction: Callable[[], AbstractAsyncContextManager[BackofficeTransaction]]
    reading: Callable[[], AbstractAsyncContextManager[BackofficeTransaction]]


def build(
    settings: Settings,
    *,
    mode: Mode = "all",
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


def _serve(mode: Mode) -> None:
    settings = Settings()
    telemetry.configure(SERVICE, settings)
    web.serve(build(settings, mode=mode), settings)


def _migrate() -> None:
    storage.migrations.run(FOLDER, Settings())


def _rebuild() -> None:
    """Backoffice keeps no projection of a compacted topic yet."""


cli = web.cli(
    SERVICE,
    {
        "api": lambda: _serve("api"),
        "worker": lambda: _serve("worker"),
        "all": lambda: _serve("all"),
        "migrate": _migrate,
        "rebuild": _rebuild,
    },
)
