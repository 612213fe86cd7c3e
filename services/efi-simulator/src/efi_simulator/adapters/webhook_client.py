"""Posts to webhooks over TLS, with Efí's client certificate or, to see whether that is demanded, without."""

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from efi_simulator.ports import Undeliverable

JSON: Final = {"Content-Type": "application/json"}


class WebhookClient:
    """A `Post` port. Both clients trust `ca_file` only."""

    def __init__(self, *, ca_file: Path, certificate_file: Path, key_file: Path, timeout_s: float) -> None:
        with_certificate = _context(ca_file)
        with_certificate.load_cert_chain(certificate_file, key_file)
        self._known = _client(with_certificate, timeout_s=timeout_s)
        self._stranger = _client(_context(ca_file), timeout_s=timeout_s)

    async def __call__(self, url: str, body: Mapping[str, Any] | bytes, *, with_certificate: bool) -> int:
        client = self._known if with_certificate else self._stranger
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        try:
            return (await client.post(url, content=content, headers=JSON)).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undeliverable(type(error).__name__) from error

    async def aclose(self) -> None:
        await self._known.aclose()
        await self._stranger.aclose()


def _client(context: ssl.SSLContext, *, timeout_s: float) -> httpx.AsyncClient:
    # An idle connection would not answer the receiver's goodbye and keep its shutdown waiting for 30 s.
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(verify=context, timeout=timeout_s, limits=limits, trust_env=False)


def _context(ca_file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
