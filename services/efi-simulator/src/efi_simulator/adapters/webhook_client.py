"""Posts to webhooks over TLS, with Efí's client certificate or, to see whether that is demanded, without."""

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp

from efi_simulator.ports import Undeliverable

JSON: Final = {"Content-Type": "application/json"}
# A handshake with two certificates costs both sides more than a notice. Idle ones soon go: who stops on the
# other side waits for them.
KEEP_ALIVE_S: Final = 2.0


class WebhookClient:
    """A `Post` port. Both clients trust `ca_file` only; a connection is kept while notices follow each other."""

    def __init__(self, *, ca_file: Path, certificate_file: Path, key_file: Path, timeout_s: float) -> None:
        with_certificate = _context(ca_file)
        with_certificate.load_cert_chain(certificate_file, key_file)
        self._contexts = {True: with_certificate, False: _context(ca_file)}
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def __call__(self, url: str, body: Mapping[str, Any] | bytes, *, with_certificate: bool) -> int:
        session = self._session(with_certificate=with_certificate)
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        try:
            async with session.post(url, data=content, headers=JSON, allow_redirects=False) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Undeliverable(type(error).__name__) from error

    async def aclose(self) -> None:
        for session in self._sessions.values():
            await session.close()

    def _session(self, *, with_certificate: bool) -> aiohttp.ClientSession:
        """Made where it is first used: it belongs to a running loop."""
        if with_certificate not in self._sessions:
            connector = aiohttp.TCPConnector(
                limit=0, keepalive_timeout=KEEP_ALIVE_S, ssl=self._contexts[with_certificate]
            )
            self._sessions[with_certificate] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=self._timeout
            )
        return self._sessions[with_certificate]


def _context(ca_file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
