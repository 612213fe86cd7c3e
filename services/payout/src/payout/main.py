"""The only wiring place of payout."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, cast

import httpx
from fastapi import FastAPI

import messaging
import storage.migrations
import telemetry
import web
from contracts.topics import PROFILES
from efi import EfiClient
from kernel.clock import Clock, SystemClock
from payout.adapters.bank import EfiBank
from payout.adapters.directory import IdentityDirectory
from payout.adapters.transaction import PayoutTransaction
from payout.adapters.vault import CipherVault
from payout.api import admin, payouts
from payout.consumers import HANDLERS, on_profile
from payout.domain.limits import DayLimit, Limits
from payout.domain.policy import Policy
from payout.jobs import timetable
from payout.ports import Bank, Directory, Vault
from payout.settings import Settings
from storage import Database

SERVICE: Final = "payout"
TITLE: Final = "Ibora payout"
FOLDER: Final = Path(__file__).resolve().parents[2]
ROUTERS: Final = (payouts.router, admin.router)


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


def build(
    settings: Settings,
    *,
    mode: web.Mode = "all",
    clock: Clock | None = None,
    verifier: web.TokenVerifier | None = None,
) -> FastAPI:
    """The app of one process; a worker has no routes of its own beside health and metrics."""
    clock = clock or SystemClock()
    database = Database(settings, service=SERVICE, make=PayoutTransaction, clock=clock)
    policy = policy_of(settings)
    background: list[web.Background] = [web.Closing(database.dispose)]
    checks = {"database": database.ready}
    if mode != "api":
        worker, closing = _worker(settings, database, policy, clock)
        background += [*closing, worker]
        checks["worker"] = worker.ready
    return web.create_app(
        service=SERVICE,
        title=TITLE,
        settings=settings,
        routers=() if mode == "worker" else ROUTERS,
        deps=ApiDeps(transaction=database.transaction, policy=policy, clock=clock),
        verifier=verifier,
        background=background,
        checks=checks,
    )


def policy_of(settings: Settings) -> Policy:
    """The times and limits of this deployment."""
    return Policy(
        limits=limits_of(settings),
        pix_key_cooling_s=settings.pix_key_cooling_s,
        janitor_s=settings.janitor_s,
        first_poll_s=settings.first_poll_s,
        retry_s=settings.payout_retry_s,
        lease_s=settings.payout_lease_s,
        resend_after_s=settings.payout_resend_after_s,
    )


def limits_of(settings: Settings) -> Limits:
    """How much may be paid out."""
    return Limits(
        minimum=settings.payout_minimum_brl,
        maximum=settings.payout_maximum_brl,
        driver=DayLimit(count=settings.payout_driver_day_count, amount=settings.payout_driver_day_sum_brl),
        platform=DayLimit(
            count=settings.payout_platform_day_count, amount=settings.payout_platform_day_sum_brl
        ),
    )


def _worker(
    settings: Settings, database: Database[PayoutTransaction], policy: Policy, clock: Clock
) -> tuple[messaging.Worker[PayoutTransaction], list[web.Closing]]:
    efi = EfiClient(settings, clock=clock)
    directory = _directory(settings)
    deps = Deps(
        transaction=database.transaction,
        directory=directory,
        vault=CipherVault.from_file(settings.encryption_key_file),
        bank=EfiBank(efi, limit_s=policy.call_s),
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
    return worker, [web.Closing(efi.aclose), web.Closing(directory.aclose)]


def _directory(settings: Settings) -> IdentityDirectory:
    assert settings.identity_url is not None, "IDENTITY_URL says where bank details come from"
    client = httpx.AsyncClient(
        base_url=settings.identity_url, timeout=settings.identity_timeout_s, follow_redirects=False
    )
    return IdentityDirectory(client, token=web.SecretFile(settings.service_token_file).value)


def describe() -> FastAPI:
    """The routes with nothing opened: `make schemas` reads its OpenAPI."""
    return web.create_app(service=SERVICE, title=TITLE, settings=web.WebSettings(), routers=ROUTERS)


def _serve(mode: web.Mode) -> None:
    settings = Settings()  # the environment fills it
    telemetry.configure(SERVICE, settings)
    web.serve(build(settings, mode=mode), settings)


def _migrate() -> None:
    storage.migrations.run(FOLDER, storage.DatabaseSettings())


def _rebuild() -> None:
    settings = Settings()  # the environment fills it
    telemetry.configure(SERVICE, settings)
    asyncio.run(rebuild(settings))


async def rebuild(settings: Settings) -> int:
    """Read the drivers' standings again from the start of the profiles; returns how many facts there were."""
    database = Database(settings, service=SERVICE, make=PayoutTransaction)
    handler = cast(messaging.Handler, on_profile)
    try:
        return await messaging.rebuild(
            settings, service=SERVICE, topic=PROFILES, handler=handler, database=database
        )
    finally:
        await database.dispose()


cli = web.service_cli(SERVICE, serve=_serve, migrate=_migrate, rebuild=_rebuild)
