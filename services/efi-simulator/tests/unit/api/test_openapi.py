"""Every answer and every body that leaves the simulator or our client fits the published specification."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_overlay import bacen, efi_only, faults
from simulator_calls import BASIC, COB, ENVIO, WINDOW, Calls, calls_of
from simulator_fakes import KEY, TXID

from efi.requests import charge_body, send_body

ERROR_A, ERROR_B, ERROR_C = "ErroA", "ErroB", "ErroC"


@pytest.fixture
async def calls(tmp_path: Path) -> AsyncIterator[Calls]:
    async with calls_of(tmp_path) as one:
        yield one


def check(schema: str, value: Any, *, reads: bool = True) -> None:
    document = bacen() if schema in bacen()["components"]["schemas"] else efi_only()
    assert faults(document, schema, value, reads=reads) == []


async def body(response: httpx.Response, *, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def test_the_oracle_notices_what_is_wrong() -> None:
    assert faults(bacen(), "CobSolicitada", {**COB, "valor": {"original": "50"}}, reads=False)
    assert faults(bacen(), "CobSolicitada", {**COB, "calendario": None}, reads=False)
    assert faults(bacen(), "Pix", {"endToEndId": "E1", "valor": "1.00", "horario": "x"}, reads=True)
    assert faults(efi_only(), "EnvioSolicitado", {**ENVIO, "extra": 1}, reads=False)
    assert faults(efi_only(), "ErroA", {"nome": "x"}, reads=True)


@pytest.mark.parametrize("message", ["Corrida de 12 km", None])
def test_the_charge_that_our_client_asks_for_fits(message: str | None) -> None:
    ours = charge_body(KEY, amount=Decimal("50.00"), expires_s=900, message=message)
    check("CobSolicitada", ours, reads=False)


@pytest.mark.parametrize("document", ["52998224725", "11222333000181", None])
def test_the_send_that_our_client_asks_for_fits(document: str | None) -> None:
    ours = send_body(KEY, amount=Decimal("12.34"), key="+5511987654321", document=document, message="Repasse")
    check("EnvioSolicitado", ours, reads=False)


def test_the_other_requests_of_our_client_fit() -> None:
    check("CobRevisada", {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"}, reads=False)
    check("DevolucaoSolicitada", {"valor": "7.89"}, reads=False)
    check("WebhookSolicitado", {"webhookUrl": "https://ibora.invalid/webhooks/efi"}, reads=False)
    check("TokenSolicitado", {"grant_type": "client_credentials"}, reads=False)


async def test_a_token_fits(calls: Calls) -> None:
    request = {"grant_type": "client_credentials"}
    check("Token", await body(await calls.api.post("/oauth/token", json=request, auth=BASIC)))


async def test_charges_fit_in_every_state(calls: Calls) -> None:
    check("CobGerada", await body(await calls.charge(), status=201))
    check("CobCompleta", await body(await calls.api.get(f"/v2/cob/{TXID}")))
    revision = {"valor": {"original": "51.00"}}
    check("CobGerada", await body(await calls.api.patch(f"/v2/cob/{TXID}", json=revision)))
    await calls.pay(payer_cpf="52998224725")
    check("CobCompleta", await body(await calls.api.get(f"/v2/cob/{TXID}")))
    check("CobsConsultadas", await body(await calls.api.get("/v2/cob", params=WINDOW)))


async def test_a_bare_charge_fits(calls: Calls) -> None:
    bare = {"calendario": {}, "valor": {"original": "50.00"}, "chave": KEY}
    shown = await body(await calls.api.put(f"/v2/cob/{TXID}", json=bare), status=201)
    check("CobGerada", shown)
    assert shown["calendario"]["expiracao"] == 86_400
    removal = {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"}
    check("CobGerada", await body(await calls.api.patch(f"/v2/cob/{TXID}", json=removal)))


async def test_received_pix_and_refunds_fit_in_every_state(calls: Calls) -> None:
    calls.bank.rules.receive_fee = Decimal("0.50")
    await calls.charge()
    e2e_id = await calls.pay(payer_cpf="52998224725")
    await calls.control.post("/_control/pix", json={"amount": "1.00"})
    check("Pix", await body(await calls.api.get(f"/v2/pix/{e2e_id}")))
    path = f"/v2/pix/{e2e_id}/devolucao/r1"
    check("Devolucao", await body(await calls.api.put(path, json={"valor": "1.00"}), status=201))
    calls.settle()
    check("Devolucao", await body(await calls.api.get(path)))
    calls.bank.moved = -calls.bank.opening_balance
    other = f"/v2/pix/{e2e_id}/devolucao/r2"
    await calls.api.put(other, json={"valor": "1.00"})
    calls.settle()
    rejected = await body(await calls.api.get(other))
    assert rejected["status"] == "NAO_REALIZADO"
    check("Devolucao", rejected)
    check("PixConsultados", await body(await calls.api.get("/v2/pix", params=WINDOW)))


async def test_sends_fit_in_every_state(calls: Calls) -> None:
    calls.bank.rules.send_fee = Decimal("0.10")
    for number, mode in enumerate(("ok", "reject_later", "return_later")):
        await calls.control.post("/_control/sends", json={"mode": mode})
        id_envio = f"envio{number}"
        accepted = await body(await calls.send(id_envio), status=201)
        check("EnvioAceito", accepted)
        for _ in range(3):
            check("Enviado", await body(await calls.api.get(f"/v2/gn/pix/enviados/id-envio/{id_envio}")))
            check("Enviado", await body(await calls.api.get(f"/v2/gn/pix/enviados/{accepted['e2eId']}")))
            calls.settle()
    check("EnviadosConsultados", await body(await calls.api.get("/v2/gn/pix/enviados", params=WINDOW)))
    check("Saldo", await body(await calls.api.get("/v2/gn/saldo", params={"bloqueios": "true"})))


async def test_webhook_bodies_fit(calls: Calls) -> None:
    await calls.charge()
    e2e_id = await calls.pay(payer_cpf="52998224725")
    await calls.api.put(f"/v2/pix/{e2e_id}/devolucao/r1", json={"valor": "1.00"})
    for number, mode in enumerate(("ok", "reject_later", "return_later")):
        await calls.control.post("/_control/sends", json={"mode": mode})
        await calls.send(f"envio{number}")
    calls.settle()
    calls.settle()
    seen = set()
    for notice in calls.bank.notices:
        seen.add((notice.kind.value, notice.item.get("status")))
        received = notice.kind in ("received", "refund")
        check("NotificacoesPix" if received else "NotificacoesEnvio", {"pix": [notice.item]})
    assert seen == {
        ("received", None),
        ("refund", None),
        ("send", "REALIZADO"),
        ("send", "NAO_REALIZADO"),
        ("return", "REALIZADO"),
    }


async def test_webhooks_fit(calls: Calls) -> None:
    path = f"/v2/webhook/{KEY}"
    registration = {"webhookUrl": "https://ibora.invalid/webhooks/efi"}
    check("WebhookCompleto", await body(await calls.api.put(path, json=registration), status=201))
    check("WebhookCompleto", await body(await calls.api.get(path)))
    check("WebhooksConsultados", await body(await calls.api.get("/v2/webhook", params=WINDOW)))


async def test_errors_fit_their_families(calls: Calls) -> None:
    await calls.charge()
    check(ERROR_A, await body(await calls.charge(), status=409))
    check(ERROR_A, await body(await calls.charge(extra=1), status=400))
    check(ERROR_A, await body(await calls.api.get("/v2/pix"), status=400))
    check(ERROR_A, await body(await calls.api.put("/v2/cob/short", json=COB), status=400))
    check(ERROR_A, await body(await calls.api.get("/v2/pix/E1"), status=400))
    check(ERROR_A, await body(await calls.send(valor="9999.00"), status=422))
    check(ERROR_A, await body(await calls.api.get("/nothing"), status=404))
    check(ERROR_B, await body(await calls.api.get("/v2/gn/pix/enviados/E1"), status=404))
    unauthorized = await calls.api.get("/v2/gn/saldo", headers={"Authorization": "Bearer x"})
    check(ERROR_C, await body(unauthorized, status=401))
    await calls.control.post("/_control/api", json={"mode": "error_500"})
    check(ERROR_A, await body(await calls.api.get("/v2/gn/saldo"), status=500))
