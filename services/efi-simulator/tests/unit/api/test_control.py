"""The control door keeps the names, modes and answers of the public contract."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from simulator_calls import Calls, calls_of, deps_of
from simulator_fakes import TXID, bank

from efi_simulator.api.apps import control_app
from efi_simulator.domain.modes import WebhookMode
from testkit import eventually


@pytest.fixture
async def calls(tmp_path: Path) -> AsyncIterator[Calls]:
    async with calls_of(tmp_path) as one:
        yield one


async def test_the_state_is_what_the_contract_says(calls: Calls) -> None:
    await calls.charge()
    e2e_id = await calls.pay()
    await calls.api.put(f"/v2/pix/{e2e_id}/devolucao/r1", json={"valor": "1.00"})
    await calls.control.post("/_control/sends", json={"mode": "return_later"})
    await calls.send()
    calls.settle()
    calls.settle()

    state = (await calls.control.get("/_control/state")).json()

    sent = state["sends"][0]["endToEndId"]
    assert state == {
        "opening_balance": "1000.00",
        "balance": "1049.00",
        "charges": [{"txid": TXID, "valor": "50.00", "status": "CONCLUIDA"}],
        "received": [
            {"endToEndId": e2e_id, "txid": TXID, "valor": "50.00", "horario": "2026-11-24T12:00:00.000Z"}
        ],
        "refunds": [{"id": "r1", "endToEndId": e2e_id, "valor": "1.00", "status": "DEVOLVIDO"}],
        "sends": [
            {
                "idEnvio": "envio1",
                "endToEndId": sent,
                "valor": "12.34",
                "chave": "+5511987654321",
                "status": "REALIZADO",
            }
        ],
        "returns": [{"endToEndId": sent, "valor": "12.34"}],
        "fees": "0.00",
    }


async def test_a_payment_needs_no_body(calls: Calls) -> None:
    await calls.charge()
    response = await calls.control.post(f"/_control/charges/{TXID}/pay")
    assert response.status_code == 200
    assert set(response.json()) == {"endToEndId"}


@pytest.mark.parametrize("amount", ["49.99", 49.99, "50", 50, "0.10", 0.1])
async def test_an_amount_may_be_a_text_or_a_number(calls: Calls, amount: str | float) -> None:
    await calls.charge()
    e2e_id = await calls.pay(amount=amount)
    assert calls.bank.received[e2e_id].amount == Decimal(str(amount))


@pytest.mark.parametrize(
    "body",
    [
        {"amount": "1.001"},
        {"amount": 1.001},
        {"amount": 0},
        {"amount": "-1"},
        {"amount": "x"},
        {"amount": True},
        {"amount": "10000000000.00"},
        {"payer_cpf": "123"},
        {"forced": True},
    ],
)
async def test_a_payment_that_makes_no_sense_is_refused(calls: Calls, body: dict[str, Any]) -> None:
    await calls.charge()
    response = await calls.control.post(f"/_control/charges/{TXID}/pay", json=body)
    assert response.status_code == 422
    assert calls.bank.received == {}


async def test_paying_twice_is_a_conflict_unless_forced(calls: Calls) -> None:
    await calls.charge()
    await calls.pay()
    path = f"/_control/charges/{TXID}/pay"
    assert (await calls.control.post(path)).status_code == 409
    assert (await calls.control.post(path, json={"force": True})).status_code == 200


async def test_paying_what_is_removed_is_a_conflict_unless_late(calls: Calls) -> None:
    await calls.charge()
    await calls.api.patch(f"/v2/cob/{TXID}", json={"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"})
    path = f"/_control/charges/{TXID}/pay"
    assert (await calls.control.post(path, json={"force": True})).status_code == 409
    assert (await calls.control.post(path, json={"late": True})).status_code == 200


async def test_paying_what_is_over_is_a_conflict_and_it_still_reads_active(calls: Calls) -> None:
    await calls.charge(calendario={"expiracao": 60})
    calls.clock.advance(60)
    assert (await calls.control.post(f"/_control/charges/{TXID}/pay")).status_code == 409
    assert (await calls.api.get(f"/v2/cob/{TXID}")).json()["status"] == "ATIVA"


async def test_an_unknown_charge_is_not_found(calls: Calls) -> None:
    assert (await calls.control.post(f"/_control/charges/{TXID}/pay")).status_code == 404


async def test_a_pix_without_a_charge_arrives(calls: Calls) -> None:
    body = {"amount": "7.00", "txid": "static1", "payer_cpf": "52998224725"}
    response = await calls.control.post("/_control/pix", json=body)
    received = calls.bank.received[response.json()["endToEndId"]]
    assert (received.txid, received.amount) == ("static1", Decimal("7.00"))


@pytest.mark.parametrize("mode", ["deliver", "drop", "duplicate", "delay", "reorder"])
async def test_every_webhook_mode_is_known(calls: Calls, mode: str) -> None:
    body = {"mode": mode, "count": 2, "delay_ms": 10}
    assert (await calls.control.post("/_control/webhooks", json=body)).json() == {"mode": mode, "count": 2}
    assert calls.deps.webhook_mode.current is WebhookMode(mode)


@pytest.mark.parametrize(
    "mode", ["ok", "reject", "reject_later", "timeout_before", "timeout_after", "error_500", "return_later"]
)
async def test_every_send_mode_is_known(calls: Calls, mode: str) -> None:
    body = {"mode": mode, "count": 2}
    assert (await calls.control.post("/_control/sends", json=body)).json() == body


@pytest.mark.parametrize("door", ["webhooks", "sends", "api"])
@pytest.mark.parametrize(
    "body", [{}, {"mode": "nonsense"}, {"mode": "ok", "count": 0}, {"mode": "ok", "x": 1}]
)
async def test_an_order_that_makes_no_sense_is_refused(calls: Calls, door: str, body: dict[str, Any]) -> None:
    assert (await calls.control.post(f"/_control/{door}", json=body)).status_code == 422


@pytest.mark.parametrize(("mode", "status"), [("down", 504), ("error_500", 500), ("slow", 200), ("ok", 200)])
async def test_the_api_misbehaves_for_its_count(calls: Calls, mode: str, status: int) -> None:
    await calls.control.post("/_control/api", json={"mode": mode, "count": 2, "delay_ms": 0})
    answers = [(await calls.api.get("/v2/gn/saldo")).status_code for _ in range(3)]
    assert answers == [status, status, 200]


async def test_nothing_happens_in_the_bank_while_the_api_is_down(calls: Calls) -> None:
    await calls.control.post("/_control/api", json={"mode": "down", "count": 1})
    assert (await calls.charge()).status_code == 504
    assert calls.bank.charges == {}


async def test_the_probes_answer_while_the_api_is_down(calls: Calls) -> None:
    await calls.control.post("/_control/api", json={"mode": "down", "count": 1})
    for path in ("/health", "/ready", "/metrics"):
        assert (await calls.api.get(path)).status_code == 200
        assert (await calls.control.get(path)).status_code == 200


async def test_the_rules_of_homologation_are_off_until_told(calls: Calls) -> None:
    assert (await calls.send(valor="25.00")).status_code == 201
    answer = await calls.control.post("/_control/rules", json={"homologation": True})
    assert answer.json()["homologation"] is True
    refused = await calls.send("envio2", valor="25.00", favorecido={"chave": "efipay@sejaefi.com.br"})
    assert refused.json()["nome"] == "pagamento_negado"


async def test_every_request_wakes_the_clockwork(calls: Calls) -> None:
    before = len(calls.woken)
    await calls.charge()
    await calls.pay()
    assert len(calls.woken) == before + 2


async def test_a_lost_answer_is_a_gateways_timeout_where_no_connection_can_be_cut(calls: Calls) -> None:
    await calls.control.post("/_control/sends", json={"mode": "timeout_after"})
    assert (await calls.send()).status_code == 504
    assert "envio1" in calls.bank.sends


async def test_blocked_money_is_shown_on_request(calls: Calls) -> None:
    assert (await calls.api.get("/v2/gn/saldo")).json() == {"saldo": "1000.00"}
    answer = (await calls.api.get("/v2/gn/saldo", params={"bloqueios": "true"})).json()
    assert answer["bloqueios"] == {"judicial": "0.00", "med": "0.00", "total": "0.00"}


async def test_no_answer_leaves_before_what_it_tells_of_is_on_disk(tmp_path: Path) -> None:
    books, kept = bank(), asyncio.Event()
    deps = replace(deps_of(tmp_path, books, woken=[]), keep=kept.wait)
    transport = httpx.ASGITransport(control_app(deps))
    async with httpx.AsyncClient(transport=transport, base_url="http://control.invalid") as control:
        order = asyncio.create_task(control.post("/_control/pix", json={"amount": "5.00"}))
        query = asyncio.create_task(control.get("/_control/state"))
        await eventually(lambda: bool(books.received))
        assert (await control.get("/health")).status_code == 200
        assert not order.done()
        assert not query.done()
        kept.set()
        assert (await order).status_code == (await query).status_code == 200
