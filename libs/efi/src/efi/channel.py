"""A pool of mTLS connections and its token, replaced as a whole when a certificate or secret changes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

import httpx

from efi.answers import raise_for, read
from efi.certificates import Fingerprint, client_context, fingerprint
from efi.errors import EfiError, EfiUnauthorized, EfiUnreachable
from efi.settings import EfiSettings
from efi.wire import TokenWire
from kernel.clock import Clock
from telemetry import get_logger

log = get_logger(__name__)
TOKEN_LIFE_USED: Final = 0.9
Connect = Callable[[EfiSettings], httpx.AsyncClient]


def connect_with_mtls(settings: EfiSettings) -> httpx.AsyncClient:
    """A connection pool that presents our certificate. OSError or BadCertificate when a file is unusable."""
    return httpx.AsyncClient(
        base_url=settings.efi_base_url,
        verify=client_context(certificate_file=settings.efi_certificate_file, ca_file=settings.efi_ca_file),
        timeout=httpx.Timeout(settings.efi_read_timeout_s, connect=settings.efi_connect_timeout_s),
        trust_env=False,
    )


class Tokens:
    """The OAuth2 token: one login at a time, renewed at 90 % of its life."""

    def __init__(self, client: httpx.AsyncClient, *, credentials: tuple[str, str], clock: Clock) -> None:
        self._client = client
        self._credentials = credentials
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at: datetime | None = None

    async def token(self, *, refused: str | None = None) -> str:
        """A valid token; never `refused`, one that Efí has just answered with 401.

        Raises only EfiUnreachable: whatever goes wrong here, the request proper was never sent.
        """
        async with self._lock:
            if self._is_stale(refused):
                await self._login()
            return self._token

    def _is_stale(self, refused: str | None) -> bool:
        return self._renew_at is None or self._clock.now() >= self._renew_at or self._token == refused

    async def _login(self) -> None:
        asked_at = self._clock.now()
        answer = await self._ask()
        self._token = answer.access_token
        self._renew_at = asked_at + timedelta(seconds=answer.expires_in * TOKEN_LIFE_USED)

    async def _ask(self) -> TokenWire:
        try:
            response = await self._client.post(
                "/oauth/token",
                json={"grant_type": "client_credentials"},
                auth=httpx.BasicAuth(*self._credentials),
            )
            raise_for(response, now=self._clock.now())
            return read(response, TokenWire)
        except EfiUnreachable:
            raise
        except EfiError as error:
            kind = EfiUnauthorized if error.status in (400, 404) else EfiUnreachable
            raise kind(f"no token: {error}", name=error.name, status=error.status, raw=error.raw) from error
        except httpx.HTTPError as error:
            raise EfiUnreachable(f"no token: {type(error).__name__}") from error


class Channel:
    """A connection pool that is closed once it is retired and nobody uses it any more."""

    def __init__(self, settings: EfiSettings, *, clock: Clock, connect: Connect) -> None:
        credentials = _credentials(settings)
        self.client = connect(settings)
        self.tokens = Tokens(self.client, credentials=credentials, clock=clock)
        self._users = 0
        self._retired = False

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator["Channel"]:
        self._users += 1
        try:
            yield self
        finally:
            self._users -= 1
            await self._close_if_done()

    async def retire(self) -> None:
        """No new users; close when the last one is done."""
        self._retired = True
        await self._close_if_done()

    async def _close_if_done(self) -> None:
        if self._retired and self._users == 0:
            await self.client.aclose()


class Channels:
    """The current channel. Certificates and credentials are read again when their files change."""

    def __init__(self, settings: EfiSettings, *, clock: Clock, connect: Connect = connect_with_mtls) -> None:
        self._settings = settings
        self._clock = clock
        self._connect = connect
        self._files = (
            settings.efi_certificate_file,
            settings.efi_ca_file,
            settings.efi_credentials_file,
        )
        self._seen: Fingerprint = ()
        self._current: Channel | None = None

    async def current(self) -> Channel:
        """The channel of what is on disk now. A half-written file leaves the old channel in place.

        EfiUnreachable when there is none yet and the files cannot be used.
        """
        try:
            seen = fingerprint(self._files)
            if self._current is None or seen != self._seen:
                await self._replace(Channel(self._settings, clock=self._clock, connect=self._connect), seen)
        except (OSError, KeyError, TypeError, ValueError) as error:
            self._complain(error)
        assert self._current is not None
        return self._current

    async def close(self) -> None:
        if self._current is not None:
            await self._current.retire()

    async def _replace(self, channel: Channel, seen: Fingerprint) -> None:
        old, self._current, self._seen = self._current, channel, seen
        if old is not None:
            log.info("efi_certificates_reloaded")
            await old.retire()

    def _complain(self, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        if self._current is None:
            raise EfiUnreachable(f"certificate or credentials unusable: {reason}") from error
        log.warning("efi_certificates_unusable", reason=reason)


def _credentials(settings: EfiSettings) -> tuple[str, str]:
    document = json.loads(settings.efi_credentials_file.read_bytes())
    return document["client_id"], document["client_secret"]
