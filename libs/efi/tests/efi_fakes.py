"""A scripted Efí behind httpx's own transport port, and a clock that stands still."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from efi.channel import Connect
from efi.client import EfiClient
from efi.settings import EfiSettings

KEY = "pix@ibora.invalid"
TXID = "0123456789abcdef0123456789abcdef"
E2E = "E09089356202611241200API12345678"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class StillClock:
    """Tells one time until it is moved."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class ScriptedEfi:
    """Answers requests from `script`, in order; token requests from `tokens`, else with a fresh token."""

    script: list[Answer] = field(default_factory=list)
    tokens: list[Answer] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    logins: list[httpx.Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def connect(self, settings: EfiSettings) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=settings.efi_base_url, transport=httpx.MockTransport(self.answer))

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            self.logins.append(request)
            fresh = httpx.Response(200, json={"access_token": f"t{len(self.logins)}", "expires_in": 3600})
            return _play(self.tokens.pop(0) if self.tokens else fresh, request)
        self.requests.append(request)
        return _play(self.script.pop(0), request)

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests if request.content]


def _play(answer: Answer, request: httpx.Request) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    return answer(request) if callable(answer) else answer


def settings_in(folder: Path, **changes: Any) -> EfiSettings:
    """Settings whose files exist in `folder` (the certificate is not a real one)."""
    credentials, certificate = folder / "credentials.json", folder / "client.pem"
    credentials.write_text(json.dumps({"client_id": "id", "client_secret": "secret"}))
    certificate.write_text("unused by the fake")
    fields: dict[str, Any] = {
        "efi_base_url": "https://efi.invalid",
        "efi_credentials_file": credentials,
        "efi_certificate_file": certificate,
        "efi_pix_key": KEY,
    }
    return EfiSettings(**fields | changes)


def client_of(
    efi: ScriptedEfi,
    folder: Path,
    *,
    clock: StillClock | None = None,
    connect: Connect | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    **changes: Any,
) -> EfiClient:
    return EfiClient(
        settings_in(folder, **changes),
        clock=clock or StillClock(),
        connect=connect or efi.connect,
        sleep=efi.sleep,
        monotonic=monotonic,
    )


def json_answer(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


def refusal(name: str, status: int = 400) -> httpx.Response:
    return json_answer({"nome": name, "mensagem": "não"}, status)


def cob(**changes: Any) -> dict[str, Any]:
    """Efí's documented answer to a charge."""
    return {
        "calendario": {"criacao": "2026-11-24T12:00:00.358Z", "expiracao": 3600},
        "txid": TXID,
        "revisao": 0,
        "loc": {"id": 789, "location": "pix.example.com/qr/v2/abc", "tipoCob": "cob"},
        "location": "pix.example.com/qr/v2/abc",
        "status": "ATIVA",
        "valor": {"original": "50.00"},
        "chave": KEY,
        "pixCopiaECola": "00020101021226",
    } | changes


def enviado(**changes: Any) -> dict[str, Any]:
    """Efí's documented answer to a query for a send."""
    return {
        "endToEndId": E2E,
        "idEnvio": "envio1",
        "valor": "12.34",
        "chave": "driver@example.com",
        "status": "REALIZADO",
        "horario": {"solicitacao": "2026-11-24T12:00:00Z", "liquidacao": "2026-11-24T12:00:02Z"},
        "favorecido": {
            "chave": "driver@example.com",
            "identificacao": {"nome": "M", "cpf": "***.456.789-**"},
        },
    } | changes


def devolucao(**changes: Any) -> dict[str, Any]:
    return {
        "id": "r1",
        "rtrId": "D09089356202611241201API12345678",
        "valor": "7.89",
        "horario": {"solicitacao": "2026-11-24T12:01:00Z"},
        "status": "EM_PROCESSAMENTO",
    } | changes
