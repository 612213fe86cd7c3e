"""The only wiring place of payment: `payment api | worker | all | migrate | rebuild`."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI

import messaging
import storage.migrations
import telemetry
import web
from efi import EfiClient
from kernel.clock import Clock, SystemClock
from payment.adapters.efi import EfiProvider
from payment.adapters.transaction import PaymentTransaction
from payment.adapters.vault import CipherVault
from payment.api import payments, received, reconciliation, webhooks
from payment.api.webhooks import CallerCheck
from payment.consumers import handlers
from payment.domain.policy import Policy
from payment.jobs import timetable
from payment.ports import Provider, Vault
from payment.settings import Settings
from storage import Database

SERVICE = "payment"
TITLE = "Ibora payment"
FOLDER = Path(__file__).resolve().parents[2]
ROUTERS = (payments.router, received.router, reconciliation.router)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What routes and effects work with."""

    transaction: Callable[[], AbstractAsyncContextManager[PaymentTransaction]]
    provider: Provider
    policy: Policy
    vault: Vault
    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()


def build(
    settings: Settings,
    *,
    mode: web.Mode = "all",
    clock: Clock | None = None,
    verifier: web.TokenVerifier | None = None,
    provider: Provider | None = None,
) -> FastAPI:
    """The app of one process; a worker has no routes of its own beside health and metrics."""
    clock = clock or SystemClock()
    database = Database(settings, service=SERVICE, make=PaymentTransaction, clock=clock)
    client = EfiClient(settings, clock=clock)
    deps = Deps(
        transaction=database.transaction,
        provider=provider or EfiProvider(client, pix_key=settings.efi_pix_key),
        policy=Policy(
            charge_ttl_s=settings.charge_ttl_s,
            janitor_s=settings.janitor_s,
            lease_s=settings.payment_lease_s,
            refund_second_payments=settings.refund_second_payments,
            raw_webhook_ttl_s=settings.raw_webhook_ttl_s,
            report_wait_s=settings.statement_report_wait_s,
        ),
        vault=CipherVault.from_file(settings.encryption_key_file),
        clock=clock,
    )
    checks: dict[str, Callable[[], Awaitable[None]]] = {"database": database.ready}
    background: list[web.Background] = [web.Closing(database.dispose), web.Closing(client.aclose)]
    if mode != "api":
        worker = _worker(settings, database, deps)
        background.append(worker)
        checks["worker"] = worker.ready
    return web.create_app(
        service=SERVICE,
        title=TITLE,
        settings=settings,
        routers=[] if mode == "worker" else list(ROUTERS),
        deps=deps,
        verifier=verifier,
        background=background,
        checks=checks,
    )


def _worker(
    settings: Settings, database: Database[PaymentTransaction], deps: Deps
) -> messaging.Worker[PaymentTransaction]:
    return messaging.Worker(
        database=database,
        settings=settings,
        service=SERVICE,
        handlers=handlers(deps.policy),
        jobs=timetable(deps, webhook_url=settings.webhook_url),
        clock=deps.clock,
    )


def build_webhook(settings: Settings, app: FastAPI) -> FastAPI:
    """The app behind the mTLS listener: Efí's two routes and nothing else; it shares the main app's parts."""
    webhook = web.create_app(
        service="payment-webhook",
        title=f"{TITLE} webhook",
        settings=settings.model_copy(update={"jwks_url": None, "cors_origins": ()}),
        routers=[webhooks.router],
        deps=app.state.deps,
    )
    webhook.state.caller_check = CallerCheck(
        subject=settings.webhook_client_subject, issuer=settings.webhook_client_issuer
    )
    return webhook


def describe() -> FastAPI:
    """The routes with nothing opened: `make schemas` reads its OpenAPI."""
    return web.create_app(service=SERVICE, title=TITLE, settings=web.WebSettings(), routers=list(ROUTERS))


def _serve(mode: web.Mode) -> None:
    settings = Settings()
    telemetry.configure(SERVICE, settings)
    app = build(settings, mode=mode)
    webhook_listens = mode != "worker" and settings.webhook_certificate_file is not None
    web.serve(app, settings, extra=[_listener(settings, app)] if webhook_listens else [])


def _listener(settings: Settings, app: FastAPI) -> web.Server:
    return web.Server(
        app=build_webhook(settings, app),
        host=settings.webhook_host,
        port=settings.webhook_port,
        ssl_certfile=settings.webhook_certificate_file,
        ssl_keyfile=settings.webhook_key_file,
        ssl_ca_certs=settings.webhook_client_ca_file,
    )


def _migrate() -> None:
    storage.migrations.run(FOLDER, Settings())


cli = web.service_cli(SERVICE, serve=_serve, migrate=_migrate)
