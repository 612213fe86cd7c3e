"""A bank on a clock that stands still, a post that records, the real thing on real ports, a real webhook."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response

from efi import EfiClient, EfiSettings
from efi_simulator.adapters.listeners import Listener, mutual_tls, plain
from efi_simulator.domain.bank import Bank, Rules
from efi_simulator.domain.charging import Terms, create_charge
from efi_simulator.domain.nouns import Charge, Send, Webhook
from efi_simulator.domain.numbers import Numbers
from efi_simulator.domain.sending import request_send
from efi_simulator.main import build
from efi_simulator.ports import Undeliverable
from efi_simulator.settings import Settings
from testkit.certificates import Certificates

KEY = "pix@ibora.invalid"
TXID = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
DRIVER_KEY = "driver@example.com"
CREDENTIALS = {"client_id": "Client_Id_1", "client_secret": "Client_Secret_1"}
SUBJECT = "webhook-h.efipay.com.br"


@dataclass
class StillClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def bank(*, webhook: bool = True, **rules: Any) -> Bank:
    """R$ 1,000.00 in the account, things settle at once."""
    made = Bank(
        our_key=KEY,
        opening_balance=Decimal("1000.00"),
        numbers=Numbers("tests"),
        rules=Rules(settles_after=timedelta(0), **rules),
    )
    if webhook:
        made.webhooks[KEY] = Webhook(key=KEY, url="https://ibora.invalid/webhooks/efi", created_at=NOW)
    return made


def charge(of: Bank, amount: str = "50.00", *, txid: str = TXID, expires_s: int = 3600) -> Charge:
    return create_charge(
        of,
        txid=txid,
        amount=Decimal(amount),
        terms=Terms(amount=Decimal(amount), key=KEY),
        expires_s=expires_s,
        location="pix.simulador.invalid/v2/x",
        copy_paste="000201",
        now=NOW,
    )


def send(
    of: Bank,
    amount: str = "12.34",
    *,
    id_envio: str = "envio1",
    key: str = DRIVER_KEY,
    payer_key: str = KEY,
    document: str | None = None,
) -> Send:
    return request_send(
        of,
        id_envio=id_envio,
        amount=Decimal(amount),
        payer_key=payer_key,
        key=key,
        document=document,
        message=None,
        now=NOW,
    )


@dataclass
class RecordingPost:
    """Answers with `statuses` in order, then 200. A text in it is why nothing could be delivered."""

    statuses: list[int | str] = field(default_factory=list)
    posted: list[tuple[str, Mapping[str, Any], bool]] = field(default_factory=list)
    stranger: int | str = "ReadError"

    async def __call__(self, url: str, body: Mapping[str, Any] | bytes, *, with_certificate: bool) -> int:
        self.posted.append((url, json.loads(body) if isinstance(body, bytes) else body, with_certificate))
        if not with_certificate:
            return _status(self.stranger)
        return _status(self.statuses.pop(0) if self.statuses else 200)

    def items(self) -> list[Any]:
        """The entries of what was posted, in order."""
        return [item for _, body, _ in self.posted for item in body.get("pix", [])]


async def keep_nothing() -> None:
    """Of a bank that lives in memory."""


def _status(answer: int | str) -> int:
    if isinstance(answer, str):
        raise Undeliverable(answer)
    return answer


def settings_in(folder: Path, certificates: Certificates, **changes: Any) -> Settings:
    """Settings on free ports, with fast settling and retries."""
    credentials = folder / "credentials.json"
    credentials.write_text(json.dumps(CREDENTIALS))
    webhook_client = certificates.client_named(SUBJECT)
    fields: dict[str, Any] = {
        "service_port": 0,
        "control_port": 0,
        "simulator_certificate_file": certificates.server.cert,
        "simulator_key_file": certificates.server.key,
        "simulator_client_ca_file": certificates.ca,
        "efi_credentials_file": credentials,
        "efi_pix_key": KEY,
        "webhook_ca_file": certificates.ca,
        "webhook_client_certificate_file": webhook_client.cert,
        "webhook_client_key_file": webhook_client.key,
        "webhook_minute_s": 0.0005,
        "webhook_timeout_s": 5,
        "settle_s": 0.02,
        "hang_s": 0.05,
        "slow_s": 0.3,
    }
    return Settings(**fields | changes)


@dataclass
class Running:
    """The simulator on real ports."""

    app: FastAPI
    api_url: str
    control: httpx.AsyncClient
    folder: Path
    certificates: Certificates

    @property
    def bank(self) -> Bank:
        found: Bank = self.app.state.deps.bank
        return found

    def client(self, **changes: Any) -> EfiClient:
        """Our own client of it, over mTLS."""
        bundle = self.folder / "bundle.pem"
        bundle.write_bytes(
            self.certificates.client.cert.read_bytes() + self.certificates.client.key.read_bytes()
        )
        fields: dict[str, Any] = {
            "efi_base_url": self.api_url,
            "efi_credentials_file": self.folder / "credentials.json",
            "efi_certificate_file": bundle,
            "efi_ca_file": self.certificates.ca,
            "efi_pix_key": KEY,
            "efi_retry_base_s": 0.01,
        }
        return EfiClient(EfiSettings(**fields | changes))

    async def order(self, door: str, **body: Any) -> dict[str, Any]:
        """Through the control door."""
        response = await self.control.post(f"/_control/{door}", json=body)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    async def state(self) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.control.get("/_control/state")).json()
        return answer


@asynccontextmanager
async def running(folder: Path, certificates: Certificates, **changes: Any) -> AsyncIterator[Running]:
    settings = settings_in(folder, certificates, **changes)
    app = build(settings)
    api = mutual_tls(
        app,
        host="127.0.0.1",
        port=0,
        certificate_file=settings.simulator_certificate_file,
        key_file=settings.simulator_key_file,
        client_ca_file=settings.simulator_client_ca_file,
    )
    async with (
        listening(api) as api_port,
        listening(plain(app.state.control, host="127.0.0.1", port=0)) as port,
    ):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as control:
            yield Running(app, f"https://localhost:{api_port}", control, folder, certificates)


@asynccontextmanager
async def listening(listener: Listener) -> AsyncIterator[int]:
    """Serve in this loop; the port."""
    task = asyncio.create_task(listener.serve())
    while not listener.started:
        assert not task.done(), "the listener did not start"
        await asyncio.sleep(0.005)
    port: int = listener.servers[0].sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        listener.should_exit = True
        await task


@dataclass
class Receiver:
    """A webhook over mTLS that keeps what it gets and answers with `statuses` in order, then 200."""

    statuses: list[int] = field(default_factory=list)
    got: list[tuple[str, Any]] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    url: str = ""

    def items(self) -> list[Any]:
        return [item for path, body in self.got for item in body.get("pix", []) if path.endswith("/pix")]

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/{path:path}")
        async def receive(request: Request) -> Response:
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            self.got.append((target, await request.json()))
            self.connections.add(request.client)
            return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

        return app


@asynccontextmanager
async def receiving(
    certificates: Certificates, *, demand_certificate: bool = True
) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    listener = Listener(
        uvicorn.Config(
            receiver.app(),
            host="127.0.0.1",
            port=0,
            log_config=None,
            access_log=False,
            lifespan="off",
            ssl_certfile=certificates.server.cert,
            ssl_keyfile=certificates.server.key,
            ssl_ca_certs=str(certificates.ca),
            ssl_cert_reqs=ssl.CERT_REQUIRED if demand_certificate else ssl.CERT_NONE,
        )
    )
    async with listening(listener) as port:
        receiver.url = f"https://localhost:{port}/webhooks/efi"
        yield receiver
