"""Builds the simulator from its settings and runs it: `efi-simulator all | api` (both the same)."""

import asyncio
import secrets
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Literal

import uvloop
from fastapi import FastAPI

from efi_simulator.adapters.journal import Journal
from efi_simulator.adapters.listeners import mutual_tls, plain, serve
from efi_simulator.adapters.webhook_client import WebhookClient
from efi_simulator.api.apps import Lifespan, api_app, control_app
from efi_simulator.api.deps import Deps
from efi_simulator.api.events import Events
from efi_simulator.api.tokens import Tokens
from efi_simulator.domain.bank import Bank, Rules
from efi_simulator.domain.modes import ApiMode, Mode, WebhookMode
from efi_simulator.domain.numbers import Numbers
from efi_simulator.jobs import Clockwork, Courier
from efi_simulator.settings import Settings
from kernel.clock import Clock, SystemClock
from telemetry import configure
from web import cli as command_line

SERVICE: Final = "efi-simulator"
_CLOCK: Final = SystemClock()


def describe() -> FastAPI:
    """The API with its routes, on no books: for its OpenAPI document."""
    return api_app()


def build(
    settings: Settings, *, mode: Literal["api", "worker", "all"] = "all", clock: Clock = _CLOCK
) -> FastAPI:
    """The API, with the control door as `app.state.control`. One bank: every mode is all of it."""
    bank = Bank(
        our_key=settings.efi_pix_key,
        opening_balance=settings.opening_balance,
        numbers=Numbers("".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(5))),
        rules=Rules(
            homologation=settings.homologation,
            receive_fee=settings.receive_fee,
            send_fee=settings.send_fee,
            settles_after=timedelta(seconds=settings.settle_s),
            report_after=timedelta(seconds=settings.statement_ready_s),
        ),
    )
    post = WebhookClient(
        ca_file=settings.webhook_ca_file,
        certificate_file=settings.webhook_client_certificate_file,
        key_file=settings.webhook_client_key_file,
        timeout_s=settings.webhook_timeout_s,
    )
    webhook_mode = Mode(WebhookMode)
    journal = _journal(settings, bank)
    keep = journal.keep if journal else _keep_nothing
    events = Events(clock)
    courier = Courier(
        post,
        url_of=lambda key: _url_of(bank, key),
        mode=webhook_mode,
        minute_s=settings.webhook_minute_s,
        watch=events.seen,
        told=bank.told,
    )
    clockwork = Clockwork(bank, courier=courier, clock=clock, keep=keep)
    deps = Deps(
        bank=bank,
        clock=clock,
        tokens=Tokens(settings.efi_credentials_file, ttl_s=settings.token_ttl_s),
        post=post,
        api_mode=Mode(ApiMode),
        webhook_mode=webhook_mode,
        wake=clockwork.wake,
        unhealthy=clockwork.unhealthy,
        keep=keep,
        events=events,
        hang_s=settings.hang_s,
        slow_s=settings.slow_s,
    )
    app = api_app(deps, lifespan=_lifespan(clockwork, post, journal))
    app.state.control = control_app(deps)
    return app


def _url_of(bank: Bank, key: str) -> str | None:
    webhook = bank.webhooks.get(key)
    return webhook.url if webhook else None


def _journal(settings: Settings, bank: Bank) -> Journal | None:
    """The bank's books, filled from the disk; None for a bank in memory."""
    if settings.state_folder is None:
        return None
    journal = Journal(settings.state_folder, bank)
    journal.open()
    return journal


async def _keep_nothing() -> None:
    """Of a bank in memory."""


def _lifespan(clockwork: Clockwork, post: WebhookClient, journal: Journal | None) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await clockwork.start()
        yield
        await clockwork.stop()
        await post.aclose()
        if journal is not None:
            await journal.close()

    return lifespan


def _run() -> None:
    settings = Settings()  # from the environment
    configure(SERVICE, settings)
    app = build(settings)
    api = mutual_tls(
        app,
        host=settings.service_host,
        port=settings.service_port,
        certificate_file=settings.simulator_certificate_file,
        key_file=settings.simulator_key_file,
        client_ca_file=settings.simulator_client_ca_file,
    )
    control = plain(app.state.control, host=settings.control_host, port=settings.control_port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve([api, control], before_stop=app.state.deps.events.close))


cli = command_line(SERVICE, {"all": _run, "api": _run})

if __name__ == "__main__":
    raise SystemExit(cli())
