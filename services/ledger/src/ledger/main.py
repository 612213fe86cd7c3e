"""The only wiring place of the ledger."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from fastapi import FastAPI

import messaging
import storage.migrations
import telemetry
import web
from kernel.clock import Clock, SystemClock
from kernel.refusals import Refusal
from ledger.adapters.transaction import LedgerTransaction
from ledger.api import drivers, terminal
from ledger.consumers import HANDLERS
from ledger.domain.chart import CHART, Classification
from ledger.jobs import timetable
from ledger.settings import Settings
from storage import Database

SERVICE: Final = "ledger"
TITLE: Final = "Ibora ledger"
FOLDER: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What routes and jobs work with."""

    transaction: Callable[[], AbstractAsyncContextManager[LedgerTransaction]]
    reading: Callable[[], AbstractAsyncContextManager[LedgerTransaction]]
    clock: Clock
    partition_days_ahead: int

    def now(self) -> datetime:
        return self.clock.now()


def build(
    settings: Settings,
    *,
    mode: web.Mode = "all",
    clock: Clock | None = None,
    verifier: web.TokenVerifier | None = None,
) -> FastAPI:
    """The app of one process; a worker has no routes of its own beside health and metrics."""
    clock = clock or SystemClock()
    database = _database(settings, clock)
    deps = Deps(
        transaction=database.transaction,
        reading=database.reading,
        clock=clock,
        partition_days_ahead=settings.partition_days_ahead,
    )
    background: list[web.Background] = [web.Closing(database.dispose)]
    checks = {"database": database.ready}
    if mode != "api":
        worker = _worker(settings, database, deps, clock)
        background.append(worker)
        checks["worker"] = worker.ready
    return web.create_app(
        service=SERVICE,
        title=TITLE,
        settings=settings,
        routers=[] if mode == "worker" else [drivers.router],
        deps=deps,
        verifier=verifier,
        background=background,
        checks=checks,
    )


def _database(settings: Settings, clock: Clock) -> Database[LedgerTransaction]:
    return Database(settings, service=SERVICE, make=LedgerTransaction, clock=clock)


def _worker(
    settings: Settings, database: Database[LedgerTransaction], deps: Deps, clock: Clock
) -> messaging.Worker[LedgerTransaction]:
    return messaging.Worker(
        database=database,
        settings=settings,
        service=SERVICE,
        handlers=HANDLERS,
        jobs=timetable(
            deps,
            fold_every_s=settings.fold_every_s,
            seal_every_s=settings.seal_every_s,
            partition_every_s=settings.partition_every_s,
        ),
        clock=clock,
    )


def describe() -> FastAPI:
    """The routes with nothing opened: `make schemas` reads its OpenAPI."""
    return web.create_app(service=SERVICE, title=TITLE, settings=web.WebSettings(), routers=[drivers.router])


def _settings() -> Settings:
    return Settings()  # the environment fills it


def _serve(mode: web.Mode) -> None:
    settings = _settings()
    telemetry.configure(SERVICE, settings)
    web.serve(build(settings, mode=mode), settings)


def _at_terminal(
    work: Callable[[Callable[[], AbstractAsyncContextManager[LedgerTransaction]]], Awaitable[int]],
) -> int:
    async def run() -> int:
        database = _database(_settings(), SystemClock())
        try:
            return await work(database.transaction)
        except Refusal as refusal:
            print(f"{refusal.code}: {refusal}", file=sys.stderr)
            return 1
        finally:
            await database.dispose()

    return asyncio.run(run())


def _verify() -> int:
    return _at_terminal(terminal.verify)


def _trial_balance() -> int:
    codes = tuple(a.code for a in CHART if a.classification is Classification.DETAIL)
    return _at_terminal(lambda transaction: terminal.show_trial_balance(transaction, codes=codes))


def _journal() -> int:
    order = sys.stdin.read()
    return _at_terminal(
        lambda transaction: terminal.post_journal(transaction, order=order, now=SystemClock().now())
    )


def _reverse() -> int:
    order = sys.stdin.read()
    return _at_terminal(
        lambda transaction: terminal.reverse_journal(transaction, order=order, now=SystemClock().now())
    )


def _migrate() -> None:
    storage.migrations.run(FOLDER, _settings())


cli = web.service_cli(
    SERVICE,
    serve=_serve,
    migrate=_migrate,
    more={"verify": _verify, "trial-balance": _trial_balance, "journal": _journal, "reverse": _reverse},
)
