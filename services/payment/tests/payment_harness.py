"""One payment service on a real database, as integration tests see it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from payment_fakes import FakeBank, completed_ride

from devstack.authority import CertificateFiles
from payment.domain.charge import Charge
from payment.domain.intent import Intent
from payment.domain.ride import Ride
from payment.settings import Settings
from payment.usecases.follow_ride import follow_ride
from payment.usecases.open_intent import open_intent
from testkit import DatabaseUrls, Tokens, eventually
from web import Server
from web.server import Stopping, run_until_stopped


@dataclass
class Payment:
    """One payment service: its app, its deps, its bank, and tokens for its callers."""

    app: FastAPI
    bank: FakeBank
    tokens: Tokens
    client: httpx.AsyncClient
    urls: DatabaseUrls
    settings: Settings

    @property
    def deps(self) -> Any:
        return self.app.state.deps

    def as_(self, user_id: UUID, user_type: str) -> dict[str, str]:
        return self.tokens.headers(user_id, user_type)

    async def completed_ride(self, **changes: str) -> Ride:
        ride = completed_ride(**changes)
        async with self.deps.transaction() as tx:
            await follow_ride(tx, ride=ride)
        return ride

    async def open_payment(self, **changes: str) -> tuple[Ride, Intent, Charge]:
        ride = await self.completed_ride(**changes)
        async with self.deps.transaction() as tx:
            intent, charge, _ = await open_intent(tx, ride_id=ride.id, now=self.deps.now(), ttl_s=900.0)
        return ride, intent, charge

    async def pair(self, intent_id: UUID) -> tuple[Intent, Charge]:
        async with self.deps.transaction() as tx:
            found: tuple[Intent, Charge] = await tx.intents.get(intent_id)
        return found


@asynccontextmanager
async def listening(
    payment: Payment, webhook_app: FastAPI, *, server: CertificateFiles, ca: Path
) -> AsyncIterator[str]:
    """The base URL of a running webhook listener that trusts callers of `ca`."""
    settings = payment.settings.model_copy(update={"service_port": 0, "drain_s": 0})
    listener = Server(
        app=webhook_app,
        host="127.0.0.1",
        port=0,
        ssl_certfile=server.cert,
        ssl_keyfile=server.key,
        ssl_ca_certs=ca,
    )
    stopping = Stopping()
    serving = asyncio.create_task(run_until_stopped(FastAPI(), settings, extra=[listener], stopping=stopping))
    await eventually(lambda: len(stopping.listeners) == 2)
    yield f"https://127.0.0.1:{stopping.listeners[1].port}"
    stopping.ask()
    await serving
