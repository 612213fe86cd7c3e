"""The simulator's two applications without sockets, for tests of what they answer."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from simulator_fakes import CREDENTIALS, KEY, TXID, RecordingPost, StillClock, bank, keep_nothing

from efi_simulator.api.apps import api_app, control_app
from efi_simulator.api.deps import Deps
from efi_simulator.api.events import Events
from efi_simulator.api.tokens import Tokens
from efi_simulator.domain.bank import Bank
from efi_simulator.domain.modes import ApiMode, Mode, WebhookMode
from efi_simulator.domain.settling import settle

BASIC = (CREDENTIALS["client_id"], CREDENTIALS["client_secret"])
COB: dict[str, Any] = {
    "calendario": {"expiracao": 3600},
    "devedor": {"cpf": "52998224725", "nome": "Maria"},
    "valor": {"original": "50.00"},
    "chave": KEY,
    "solicitacaoPagador": "Corrida",
    "infoAdicionais": [{"nome": "corrida", "valor": "1"}],
}
ENVIO: dict[str, Any] = {
    "valor": "12.34",
    "pagador": {"chave": KEY, "infoPagador": "Repasse"},
    "favorecido": {"chave": "+5511987654321", "cpf": "52998224725"},
}
WINDOW = {"inicio": "2026-11-24T00:00:00Z", "fim": "2026-11-25T00:00:00Z"}


@dataclass
class Calls:
    """`api` bears a token, `control` needs none. Nothing settles before `settle`."""

    bank: Bank
    clock: StillClock
    post: RecordingPost
    deps: Deps
    api: httpx.AsyncClient
    control: httpx.AsyncClient
    woken: list[bool]

    def settle(self) -> None:
        self.clock.advance(1)
        settle(self.bank, now=self.clock.now())

    async def charge(self, **changes: Any) -> httpx.Response:
        return await self.api.put(f"/v2/cob/{TXID}", json=COB | changes)

    async def pay(self, **body: Any) -> str:
        response = await self.control.post(f"/_control/charges/{TXID}/pay", json=body)
        assert response.status_code == 200, response.text
        return str(response.json()["endToEndId"])

    async def send(self, id_envio: str = "envio1", **changes: Any) -> httpx.Response:
        return await self.api.put(f"/v3/gn/pix/{id_envio}", json=ENVIO | changes)


def deps_of(folder: Path, books: Bank, *, woken: list[bool]) -> Deps:
    """What the applications work with, on a clock that stands still."""
    credentials = folder / "credentials.json"
    credentials.write_text(json.dumps(CREDENTIALS))
    clock = StillClock()
    return Deps(
        bank=books,
        clock=clock,
        tokens=Tokens(credentials, ttl_s=3600),
        post=RecordingPost(),
        api_mode=Mode(ApiMode),
        webhook_mode=Mode(WebhookMode),
        wake=lambda: woken.append(True),
        unhealthy=lambda: None,
        keep=keep_nothing,
        events=Events(clock),
        hang_s=0,
        slow_s=0,
    )


@asynccontextmanager
async def calls_of(folder: Path) -> AsyncIterator[Calls]:
    books, woken = bank(), []
    deps = deps_of(folder, books, woken=woken)
    assert isinstance(deps.clock, StillClock)
    assert isinstance(deps.post, RecordingPost)
    api_transport = httpx.ASGITransport(api_app(deps), raise_app_exceptions=False)
    control_transport = httpx.ASGITransport(control_app(deps))
    async with (
        httpx.AsyncClient(transport=api_transport, base_url="https://efi.invalid") as api,
        httpx.AsyncClient(transport=control_transport, base_url="http://control.invalid") as control,
    ):
        login = await api.post("/oauth/token", json={"grant_type": "client_credentials"}, auth=BASIC)
        api.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        yield Calls(books, deps.clock, deps.post, deps, api, control, woken)
