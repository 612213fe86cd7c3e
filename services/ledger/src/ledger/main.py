"""The only wiring place of the ledger."""

import argparse
import asyncio
import gc
import getpass
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
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
from contracts.ledger import LedgerSealed
from contracts.topics import SEALS
from kernel.clock import Clock, SystemClock
from kernel.refusals import Refusal
from ledger.adapters.signing import checked, signed
from ledger.adapters.transaction import LedgerTransaction
from ledger.api import books, drivers, journals, manual_journals, reconciliation, terminal
from ledger.consumers import HANDLERS
from ledger.domain.anchor import Anchor, parse_anchor
from ledger.domain.chart import CHART, Classification
from ledger.jobs import timetable
from ledger.settings import Settings
from storage import Database

log = telemetry.get_logger(__name__)

SERVICE: Final = "ledger"
TITLE: Final = "Ibora ledger"
FOLDER: Final = Path(__file__).resolve().parents[2]
ROUTERS: Final = (
    drivers.router,
    books.router,
    journals.router,
    manual_journals.router,
    reconciliation.router,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What routes and jobs work with."""

    transaction: Callable[[], AbstractAsyncContextManager[LedgerTransaction]]
    reading: Callable[[], AbstractAsyncContextManager[LedgerTransaction]]
    clock: Clock
    partition_days_ahead: int
    anchor_key_file: Path | None = None
    recheck_grace_s: float
    recheck_balance_s: float
    recheck_flight_s: float
    idempotency_keep_s: float

    def now(self) -> datetime:
        return self.clock.now()

    def signed(self, line: str) -> str:
        return signed(line, key_file=self.anchor_key_file)


def build(
    settings: Settings,
    *,
    mode: web.Mode = "all",
    clock: Clock | None = None,
    verifier: web.TokenVerifier | None = None,
) -> FastAPI:
    """The app of one process; a worker has no routes of its own beside health and metrics."""
    clock = clock or SystemClock()
    if mode != "api":
        settings.check_anchors_are_signed()
    database = _database(settings, clock)
    deps = Deps(
        transaction=database.transaction,
        reading=database.reading,
        clock=clock,
        partition_days_ahead=settings.partition_days_ahead,
        anchor_key_file=settings.anchor_key_file,
        recheck_grace_s=settings.recheck_grace_s,
        recheck_balance_s=settings.recheck_balance_s,
        recheck_flight_s=settings.recheck_flight_s,
        idempotency_keep_s=settings.idempotency_keep_s,
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
        routers=[] if mode == "worker" else ROUTERS,
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
    if settings.anchor_key_file is None:
        log.warning("anchors_unsigned", setting="ANCHOR_KEY_FILE")
    return messaging.Worker(
        database=database,
        settings=settings,
        service=SERVICE,
        handlers=HANDLERS,
        jobs=timetable(
            deps,
            fold_every_s=settings.fold_every_s,
            anchor_every_s=settings.anchor_every_s,
            partition_every_s=settings.partition_every_s,
            snapshot_every_s=settings.snapshot_every_s,
            recheck_every_s=settings.recheck_every_s,
            verify_books_every_s=settings.verify_books_every_s,
        ),
        clock=clock,
    )


def describe() -> FastAPI:
    """The routes with nothing opened: `make schemas` reads its OpenAPI."""
    return web.create_app(service=SERVICE, title=TITLE, settings=web.WebSettings(), routers=ROUTERS)


def _settings() -> Settings:
    return Settings()  # the environment fills it


def _serve(mode: web.Mode) -> None:
    # A batch makes some hundred thousand objects that die with it and hold no cycles: looking through all of them
    # after each 700 new ones takes a third of the processor's time, and after each 200,000 still a sixth.
    gc.freeze()
    gc.set_threshold(1_000_000, 20, 50)
    settings = _settings()
    telemetry.configure(SERVICE, settings)
    web.serve(build(settings, mode=mode), settings)


def _login() -> str:
    """Who the machine says that we are; in a container a user has a number only."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


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


def _verify(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="ledger verify", description="Recompute the hash chain.")
    parser.add_argument("--anchor", action="append", default=[], help="a signed line of the log; repeatable")
    parser.add_argument("--offline", action="store_true", help="do not read the anchors on Kafka")
    options = parser.parse_args(arguments)
    settings = _settings()

    async def verify(transaction: Callable[[], AbstractAsyncContextManager[LedgerTransaction]]) -> int:
        try:
            anchors = [
                parse_anchor(checked(line, key_file=settings.anchor_key_file)) for line in options.anchor
            ]
        except ValueError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 2
        told = [] if options.offline else await messaging.read_facts(settings, topic=SEALS)
        anchors += [Anchor.told(fact) for fact in told if isinstance(fact, LedgerSealed)]
        return await terminal.verify(transaction, anchors=anchors)

    return _at_terminal(verify)


def _verify_days() -> int:
    return _at_terminal(terminal.verify_days)


def _trial_balance() -> int:
    codes = tuple(a.code for a in CHART if a.classification is Classification.DETAIL)
    return _at_terminal(lambda transaction: terminal.show_trial_balance(transaction, codes=codes))


def _journal() -> int:
    return _ordered(terminal.propose_journal)


def _reverse() -> int:
    return _ordered(terminal.reverse_journal)


def _ordered(carry_out: Callable[..., Awaitable[int]]) -> int:
    order, settings = sys.stdin.read(), _settings()
    token_file = settings.operator_token_file

    async def work(transaction: Callable[[], AbstractAsyncContextManager[LedgerTransaction]]) -> int:
        by = await terminal.operator(
            web.make_verifier(settings),
            token=web.read_secret(token_file) if token_file else None,
            login=_login(),
        )
        return await carry_out(transaction, order=order, by=by, now=SystemClock().now())

    return _at_terminal(work)


def _migrate() -> None:
    storage.migrations.run(FOLDER, _settings())


_commands = web.service_cli(
    SERVICE,
    serve=_serve,
    migrate=_migrate,
    more={
        "verify": _verify,
        "verify-days": _verify_days,
        "trial-balance": _trial_balance,
        "journal": _journal,
        "reverse": _reverse,
    },
)


def cli() -> int:
    """The entry point; `verify` takes options of its own."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["verify"]:
        return _verify(arguments[1:])
    return _commands()
