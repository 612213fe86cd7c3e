"""The only wiring place of payout."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import httpx
from fastapi import FastAPI

import messaging
import storage.migrations
import telemetry
import web
from efi import EfiClient
from kernel.clock import Clock, SystemClock
from payout.adapters.bank import EfiBank
from payout.adapters.directory import IdentityDirectory
from payout.adapters.transaction import PayoutTransaction
from payout.adapters.vault import CipherVault
from payout.api import payouts
from payout.consumers import HANDLERS
from payout.domain.policy import Policy
from payout.jobs import timetable
from payout.ports import Bank, Directory, Vault
from payout.settings import Settings
from storage import Database

SERVICE: Final = "payout"
TITLE: Final = "Ibora payout"
FOLDER: Final = Path(__file__).resolve().parents[2]
Mode = Literal["api", "worker", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDeps:
    """What routes work with."""

    transaction: Callable[[], AbstractAsyncContextManager[PayoutTransaction]]
    policy: Policy
    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What effects work with."""

    transaction: Callable[[], AbstractAsyncContextManager[PayoutTransaction]]
    directory: Directory
    vault: Vault
    bank: Bank
    policy: Policy
    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()


class Closing:
    """Closes something with the app."""

    def __init__(self, close: Callable[[], Awaitable[None]]) -> None:
        self._close = close

    async def start(self) -> None:
        """Nothing to do: connections open with their first use."""

    async def stop(self) -> None:
        await self._close()

    def unhealthy(self) -> str | None:
        return None


def build(
    settings: Settings,
    *,
    mode: Mode = "all",
    clock: Clock | None = None,
    verifier: web.TokenVerifier | None = None,
) -> FastAPI:
    """The app of one process; a worker has no routes of its own beside health and metrics."""
    clock = clock or SystemClock()
    database = Database(settings, service=SERVICE, make=PayoutTransaction, clock=clock)
    policy = policy_of(settings)
    background: list[web.Background] = [Closing(database.dispose)]
    checks = {"database": database.ready}
    if mode != "api":
        worker, closing = _worker(settings, database, policy, clock)
        background += [*closing, worker]
        checks["worker"] = worker.ready
    return web.create_app(
        service=SERVICE,
        title=TITLE,
        settings=settings,
        routers=[] if mode == "worker" else [payouts.router],
        deps=ApiDeps(transaction=database.transaction, policy=policy, clock=clock),
        verifier=verifier,
        background=background,
        checks=checks,
    )


def policy_of(settings: Settings) -> Policy:
    """The times and limits of this deployment."""
    return Policy(
        minimum=settings.payout_minimum_brl,
        janitor_s=settings.janitor_s,
        first_poll_s=settings.first_poll_s,
        retry_s=settings.payout_retry_s,
        lease_s=settings.payout_lease_s,
        resend_after_s=settings.payout_resend_after_s,
    )


def _worker(
    settings: Settings, database: Database[PayoutTransaction], policy: Policy, clock: Clock
) -> tuple[messaging.Worker[PayoutTransaction], list[Closing]]:
    efi = EfiClient(settings, clock=clock)
    directory = _directory(settings)
    deps = Deps(
        transaction=database.transaction,
        directory=directory,
        vault=CipherVault.from_file(settings.encryption_key_file),
        bank=EfiBank(efi),
        policy=policy,
        clock=clock,
    )
    worker = messaging.Worker(
        database=database,
        settings=settings,
        service=SERVICE,
        handlers=HANDLERS,
        jobs=timetable(deps, every_s=settings.payout_tick_s),
        clock=clock,
    )
    return worker, [Closing(efi.aclose), Closing(directory.aclose)]


def _directory(settings: Settings) -> IdentityDirectory:
    assert settings.identity_url is not None, "IDENTITY_URL says where bank details come from"
    client = httpx.AsyncClient(
        base_url=settings.identity_url, timeout=settings.identity_timeout_s, follow_redirects=False
    )
    return IdentityDirectory(client, token=web.SecretFile(settings.service_token_file).value)


def describe() -> FastAPI:
    """The routes with nothing opened: `make schemas` reads its OpenAPI."""
    return web.create_app(service=SERVICE, title=TITLE, settings=web.WebSettings(), routers=[payouts.router])


def _serve(mode: Mode) -> None:
    settings = Settings()  # the environment fills it
    telemetry.configure(SERVICE, settings)
    web.serve(build(settings, mode=mode), settings)


def _migrate() -> None:
    storage.migrations.run(FOLDER, storage.DatabaseSettings())


def _rebuild() -> None:
    """Payout keeps no projection of a compacted topic; balances come again with the next change."""


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
