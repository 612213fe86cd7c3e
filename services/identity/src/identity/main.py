"""The only wiring place: `identity api | worker | all | migrate | rebuild | rotate-keys`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from valkey.asyncio import Valkey

import telemetry
import web
from identity.adapters.attempts import CountedAttempts, FailureLimits, UncountedAttempts
from identity.adapters.keyring import Keyring
from identity.adapters.lifecycle import Lifecycle
from identity.adapters.passwords import BoundedPasswords
from identity.adapters.periodic import Periodic
from identity.adapters.revocation_copy import StreamedRevocations
from identity.adapters.signing_keys import RsaKeyMaker
from identity.adapters.transaction import IdentityTransaction
from identity.adapters.vault import Vault
from identity.api import admin, auth, drivers, internal, jwks, me
from identity.api.deps import Deps
from identity.consumers import HANDLERS
from identity.domain.login import Login
from identity.domain.session import SessionPolicy
from identity.domain.signing_key import KeyPolicy
from identity.effects.ensure_first_admin import ensure_first_admin
from identity.effects.renew_signing_keys import renew_signing_keys
from identity.effects.spread_revocations import spread_revocations
from identity.jobs import JobDeps, jobs
from identity.settings import Settings
from identity.usecases.publish_profiles import publish_profiles
from kernel.clock import Clock, SystemClock
from messaging import Worker
from storage import Database, Scope, migrations

SERVICE: Final = "identity"
TITLE: Final = "Ibora identity"
FOLDER: Final = Path(__file__).parents[2]
VALKEY_TIMEOUT_S: Final = 0.5
ROUTERS: Final[Sequence[APIRouter]] = (
    auth.router,
    jwks.router,
    me.router,
    drivers.router,
    admin.router,
    internal.router,
)


class Identity:
    """Every part of one process, built from the settings; opens nothing until the app starts."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.policy = _session_policy(settings)
        self.key_policy = _key_policy(settings)
        self.vault = Vault.from_files(
            settings.encryption_key_file, index_key_file=settings.blind_index_key_file
        )
        self.valkey = _valkey(settings.valkey_url)
        # It is given no address: this process asks the database, which is the truth.
        self.revocations = web.Revocations(clock=clock)
        self.copy = StreamedRevocations(self.valkey, own=self.revocations, clock=clock)
        self.database: Database[IdentityTransaction] = Database(
            settings, service=SERVICE, make=self._transaction, clock=clock
        )
        self.passwords = _passwords(settings)
        self.attempts = _attempts(settings)
        self.maker = RsaKeyMaker()
        self.keyring = Keyring(
            self.database.transaction,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            policy=self.policy,
            clock=clock,
        )

    def app(self, *, mode: web.Mode) -> FastAPI:
        """The HTTP door: all routes, or for a worker its probes only."""
        return web.create_app(
            service=SERVICE,
            title=TITLE,
            settings=self.settings,
            routers=ROUTERS if mode != "worker" else (),
            deps=self._deps(),
            verifier=self._verifier(),
            background=self._background(mode),
            checks={"database": self.database.ready},
        )

    async def ensure_first_admin(self) -> None:
        """Open the first administrator's account if the settings name one and it does not exist."""
        login, file = self.settings.first_admin_login, self.settings.first_admin_password_file
        if login is None or file is None:
            return
        await ensure_first_admin(
            self.database.transaction,
            login=Login.parse(login),
            password=web.read_secret(file),
            passwords=self.passwords,
        )

    async def publish_profiles(self) -> None:
        """Publish every profile again, in batches."""
        last: UUID | None = None
        while True:
            async with self.database.transaction() as tx:
                last = await publish_profiles(tx, after=last, now=tx.now())
            if last is None:
                return

    async def renew_signing_keys(self, *, forced: bool = False) -> None:
        await renew_signing_keys(
            self.database.transaction, maker=self.maker, policy=self.key_policy, forced=forced
        )

    async def close(self) -> None:
        await self.attempts.aclose()
        if self.valkey is not None:
            await self.valkey.aclose()
        await self.database.dispose()

    def _transaction(self, session: AsyncSession, scope: Scope) -> IdentityTransaction:
        return IdentityTransaction(session, scope, vault=self.vault, copy=self.copy, policy=self.policy)

    def _deps(self) -> Deps:
        return Deps(
            transaction=self.database.transaction,
            reading=self.database.reading,
            passwords=self.passwords,
            attempts=self.attempts,
            tokens=self.keyring,
            policy=self.policy,
            refresh_key=self.vault.refresh_key,
            service_token=web.SecretFile(self.settings.service_token_file),
            clock=self.clock,
        )

    def _verifier(self) -> web.TokenVerifier:
        return web.TokenVerifier(
            self.keyring,
            issuer=self.settings.token_issuer,
            audience=self.settings.token_audience,
            revocations=self.revocations,
            clock=self.clock,
        )

    def _background(self, mode: web.Mode) -> Sequence[web.Background]:
        opening = [self.renew_signing_keys, *([self.ensure_first_admin] if mode != "api" else [])]
        own_copy = StreamedRevocations(None, own=self.revocations, clock=self.clock)
        look = partial(spread_revocations, self.database.transaction, copy=own_copy, policy=self.policy)
        parts: list[web.Background] = [
            Lifecycle(opening=opening, closing=[self.close]),
            Periodic("signing_keys", self.keyring.read, every_s=self.settings.signing_key_poll_s),
            Periodic("revocations", look, every_s=self.settings.revocations_poll_s),
        ]
        return [*parts, self._worker()] if mode != "api" else parts

    def _worker(self) -> Worker[IdentityTransaction]:
        deps = JobDeps(
            transaction=self.database.transaction,
            copy=self.copy,
            maker=self.maker,
            session_policy=self.policy,
            key_policy=self.key_policy,
        )
        return Worker(
            database=self.database,
            settings=self.settings,
            service=SERVICE,
            handlers=HANDLERS,
            jobs=jobs(deps, spread_s=self.settings.revocations_spread_s),
            clock=self.clock,
        )


def build(settings: Settings, *, mode: web.Mode, clock: Clock = SystemClock()) -> FastAPI:  # noqa: B008
    """The app of one process."""
    return Identity(settings, clock=clock).app(mode=mode)


def describe() -> FastAPI:
    """The app with its routes and nothing behind them: what OpenAPI is generated from."""
    return web.create_app(service=SERVICE, title=TITLE, settings=web.WebSettings(), routers=ROUTERS)


def _session_policy(settings: Settings) -> SessionPolicy:
    return SessionPolicy(
        sliding_s=settings.refresh_sliding_s,
        absolute_s=settings.refresh_absolute_s,
        grace_s=settings.refresh_grace_s,
        access_ttl_s=settings.access_ttl_s,
    )


def _key_policy(settings: Settings) -> KeyPolicy:
    return KeyPolicy(
        rotate_s=settings.signing_key_rotate_s,
        lead_s=settings.signing_key_lead_s,
        access_ttl_s=settings.access_ttl_s,
    )


def _valkey(url: str | None) -> Valkey | None:
    if url is None:
        return None
    client: Valkey = Valkey.from_url(
        url, socket_timeout=VALKEY_TIMEOUT_S, socket_connect_timeout=VALKEY_TIMEOUT_S
    )
    return client


def _passwords(settings: Settings) -> BoundedPasswords:
    return BoundedPasswords(
        memory_kib=settings.password_memory_kib,
        passes=settings.password_passes,
        parallel=settings.password_parallel,
        wait_s=settings.password_wait_s,
    )


def _attempts(settings: Settings) -> CountedAttempts | UncountedAttempts:
    if settings.rate_limits == "relaxed":
        return UncountedAttempts()
    limits = FailureLimits(
        per_pair=settings.login_failures_per_pair,
        per_login=settings.login_failures_per_login,
        per_address=settings.login_failures_per_address,
    )
    return CountedAttempts(settings.valkey_url, limits=limits)


def _serve(mode: web.Mode) -> None:
    settings = Settings()
    telemetry.configure(SERVICE, settings)
    web.serve(build(settings, mode=mode), settings)


def _once(work: Callable[[Identity], Awaitable[object]]) -> None:
    settings = Settings()
    telemetry.configure(SERVICE, settings)

    async def run() -> None:
        identity = Identity(settings, clock=SystemClock())
        try:
            await work(identity)
        finally:
            await identity.close()

    asyncio.run(run())


def _migrate() -> None:
    migrations.run(FOLDER, Settings())
    _once(lambda identity: identity.ensure_first_admin())


cli = web.service_cli(
    SERVICE,
    serve=_serve,
    migrate=_migrate,
    rebuild=lambda: _once(lambda identity: identity.publish_profiles()),
    more={"rotate-keys": lambda: _once(lambda identity: identity.renew_signing_keys(forced=True))},
)

if __name__ == "__main__":
    raise SystemExit(cli())
