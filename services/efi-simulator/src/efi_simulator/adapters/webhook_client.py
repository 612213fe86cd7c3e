"""Posts to webhooks over TLS, with Efí's client certificate or, to see whether that is demanded, without."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from efi_simulator.ports import Undeliverable


class WebhookClient:
    """A `Post` port. Both clients trust `ca_file` only."""

    def __init__(self, *, ca_file: Path, certificate_file: Path, key_file: Path, timeout_s: float) -> None:
        with_certificate = _context(ca_file)
        with_certificate.load_cert_chain(certificate_file, key_file)
        self._known = httpx.AsyncClient(verify=with_certificate, timeout=timeout_s, trust_env=False)
        self._stranger = httpx.AsyncClient(verify=_context(ca_file), timeout=timeout_s, trust_env=False)

    async def __call__(self, url: str, body: Mapping[str, Any], *, with_certificate: bool) -> int:
        client = self._known if with_certificate else self._stranger
        try:
            return (await client.post(url, json=body)).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undeliverable(type(error).__name__) from error

    async def aclose(self) -> None:
        await self._known.aclose()
        await self._stranger.aclose()


def _context(ca_file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
