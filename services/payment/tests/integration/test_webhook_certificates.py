"""Efí's own client certificate, by its name and authority, opens the door on the days of its life only."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from payment_harness import Payment, listening

from devstack.authority import Authority, CertificateFiles

CALLER: Final = "webhook.efi.test"
DAY: Final = timedelta(days=1)


class Dating(Authority):
    """An authority whose certificates live when it is told."""

    life: tuple[timedelta, timedelta] = (-DAY, DAY)

    def client_of(self, *, start: timedelta, end: timedelta) -> CertificateFiles:
        """Of Efí's name, valid from `start` to `end` from now."""
        self.life = (start, end)
        return self.client(f"client-{start}-{end}", common_name=CALLER)

    def _builder(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey, *, expired: bool = False
    ) -> x509.CertificateBuilder:
        start, end = (datetime.now(UTC) + moment for moment in self.life)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
        )


@pytest.fixture
def authority(tmp_path: Path) -> Dating:
    return Dating(tmp_path / "dating")


@pytest.fixture
async def door(payment: Payment, webhook_app: FastAPI, authority: Dating) -> AsyncIterator[str]:
    async with listening(payment, webhook_app, server=authority.server(), ca=authority.ca) as url:
        yield url


def identified(authority: Dating, files: CertificateFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.ca))
    context.load_cert_chain(str(files.cert), str(files.key))
    return context


async def knock(door: str, context: ssl.SSLContext) -> int:
    told = {"pix": [{"endToEndId": "E1", "txid": "t" * 32, "valor": "50.00"}]}
    async with httpx.AsyncClient(verify=context) as efi:
        return (await efi.post(f"{door}/webhooks/efi", json=told)).status_code


async def deliveries(payment: Payment) -> int:
    connection = await asyncpg.connect(payment.urls.admin_url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM webhook_deliveries"))
    finally:
        await connection.close()


async def test_the_certificate_of_today_is_let_in(payment: Payment, door: str, authority: Dating) -> None:
    assert await knock(door, identified(authority, authority.client_of(start=-DAY, end=DAY))) == 200
    assert await deliveries(payment) == 1


@pytest.mark.parametrize(
    ("start", "end"),
    [(-2 * DAY, -timedelta(minutes=1)), (timedelta(minutes=5), DAY)],
    ids=["expired a minute ago", "not valid yet"],
)
async def test_the_right_certificate_at_the_wrong_time_is_refused_in_the_handshake(
    payment: Payment, door: str, authority: Dating, start: timedelta, end: timedelta
) -> None:
    """It differs from the one that is let in by its dates alone; no HTTP is ever answered."""
    with pytest.raises(httpx.TransportError):
        await knock(door, identified(authority, authority.client_of(start=start, end=end)))
    assert await deliveries(payment) == 0
