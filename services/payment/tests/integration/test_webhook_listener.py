"""The mTLS door that Efí knocks on: who may enter, and that what is told is stored before the answer."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from payment_fakes import a_pix
from payment_harness import Payment

from payment.domain.intent import IntentStatus
from payment.domain.received import Received
from payment.effects.process_webhooks import process_webhooks
from testkit import eventually
from web import Server
from web.server import Stopping, run_until_stopped

CALLER = "webhook.efi.test"


@pytest.fixture
async def door(payment: Payment, webhook_app: FastAPI, certificates: Any) -> AsyncIterator[str]:
    """The base URL of a running listener."""
    settings = payment.settings.model_copy(update={"service_port": 0, "drain_s": 0})
    listener = Server(
        app=webhook_app,
        host="127.0.0.1",
        port=0,
        ssl_certfile=certificates.server.cert,
        ssl_keyfile=certificates.server.key,
        ssl_ca_certs=certificates.ca,
    )
    stopping = Stopping()
    plain = FastAPI()
    serving = asyncio.create_task(run_until_stopped(plain, settings, extra=[listener], stopping=stopping))
    await eventually(lambda: len(stopping.listeners) == 2)
    yield f"https://127.0.0.1:{stopping.listeners[1].port}"
    stopping.ask()
    await serving


def caller(certificates: Any, files: Any = None) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=str(certificates.ca))
    if files is not None:
        context.load_cert_chain(str(files.cert), str(files.key))
    return httpx.AsyncClient(verify=context)


def item(pix: Received) -> dict[str, Any]:
    return {
        "endToEndId": pix.e2e_id,
        "txid": pix.txid,
        "chave": "11111111-2222-4333-8444-555555555555",
        "valor": f"{pix.amount:.2f}",
        "horario": "2026-11-24T12:00:00.000Z",
        "infoPagador": "segredo",
        "gnExtras": {"pagador": {"nome": "Fulano", "cpf": "***.456.789-**"}},
    }


async def stored(payment: Payment) -> list[Any]:
    connection = await asyncpg.connect(payment.urls.admin_url)
    try:
        return list(await connection.fetch("SELECT * FROM webhook_events ORDER BY received_at"))
    finally:
        await connection.close()


@pytest.mark.parametrize("path", ["/webhooks/efi", "/webhooks/efi/pix"])
async def test_what_efi_tells_is_stored_and_confirms_after_the_fetch_back(
    payment: Payment, door: str, certificates: Any, path: str
) -> None:
    _, intent, charge = await payment.open_payment()
    pix = a_pix(txid=charge.txid)
    payment.bank.pay(pix)
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        answer = await efi.post(door + path, json={"pix": [item(pix)]})
    assert answer.status_code == 200
    [event] = await stored(payment)
    assert (event["e2e_id"], event["txid"], event["processed"]) == (pix.e2e_id, charge.txid, False)
    assert "Fulano" not in event["payload"]
    assert "segredo" not in event["payload"]
    await process_webhooks(payment.deps)
    assert (await payment.pair(intent.id))[0].status is IntentStatus.CONFIRMED
    assert (await stored(payment))[0]["processed"]


async def test_fifty_deliveries_of_one_webhook_at_once_confirm_once(
    payment: Payment, door: str, certificates: Any
) -> None:
    _, _, charge = await payment.open_payment()
    pix = a_pix(txid=charge.txid)
    payment.bank.pay(pix)
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        answers = await asyncio.gather(
            *(efi.post(f"{door}/webhooks/efi/pix", json={"pix": [item(pix)]}) for _ in range(50))
        )
    assert {answer.status_code for answer in answers} == {200}
    await asyncio.gather(*(process_webhooks(payment.deps) for _ in range(4)))
    outcomes = [event["outcome"] for event in await stored(payment)]
    assert sorted(outcomes) == ["confirmed"] + ["duplicate"] * 49


async def test_a_forged_amount_is_not_believed(payment: Payment, door: str, certificates: Any) -> None:
    _, intent, charge = await payment.open_payment()
    real = a_pix(txid=charge.txid, amount="0.01")
    payment.bank.pay(real)
    lie = item(real) | {"valor": "50.00"}
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        await efi.post(f"{door}/webhooks/efi/pix", json={"pix": [lie]})
    await process_webhooks(payment.deps)
    assert (await payment.pair(intent.id))[0].status is IntentStatus.PENDING


async def test_the_probe_without_a_certificate_is_refused(door: str, certificates: Any) -> None:
    async with caller(certificates) as nobody:
        with pytest.raises(httpx.TransportError):
            await nobody.post(f"{door}/webhooks/efi", json={})


async def test_a_certificate_of_another_authority_is_refused(door: str, certificates: Any) -> None:
    for files in (certificates.stranger_named(CALLER), certificates.expired):
        async with caller(certificates, files) as stranger:
            with pytest.raises(httpx.TransportError):
                await stranger.post(f"{door}/webhooks/efi", json={})


async def test_a_trusted_certificate_of_somebody_else_is_refused(
    payment: Payment, door: str, certificates: Any
) -> None:
    async with caller(certificates, certificates.client_named("webhook-h.efi.test")) as other:
        answer = await other.post(f"{door}/webhooks/efi", json={"pix": [item(a_pix(txid=None))]})
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_client_certificate")
    assert await stored(payment) == []


@pytest.mark.parametrize("amount", ["50.00", "5e1", "-50.00", "1e400", "0"])
async def test_an_amount_written_as_a_number_is_stored_too(
    payment: Payment, door: str, certificates: Any, amount: str
) -> None:
    _, intent, charge = await payment.open_payment()
    pix = a_pix(txid=charge.txid)
    payment.bank.pay(pix)
    body = json.dumps({"pix": [item(pix)]}).replace('"50.00"', amount)
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        answer = await efi.post(f"{door}/webhooks/efi/pix", content=body)
    assert answer.status_code == 200
    await process_webhooks(payment.deps)
    assert len(await stored(payment)) == 1
    # An amount that is none makes the entry unreadable, and the janitor's; what is read is fetched back.
    read = amount != "1e400"
    assert ((await payment.pair(intent.id))[0].status is IntentStatus.CONFIRMED) == read


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"pix": 5}',
        b"\xff",
        b"",
        b'{"pix": [{"endToEndId": "E1", "txid": "a", "valor": NaN}]}',
        b'{"pix": [{"endToEndId": "E1", "txid": "a", "valor": -Infinity}]}',
        b"[" * 100_000,
    ],
)
async def test_a_body_that_is_not_efis_is_a_clear_400(door: str, certificates: Any, body: bytes) -> None:
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        answer = await efi.post(f"{door}/webhooks/efi/pix", content=body)
    assert answer.status_code == 400


async def test_a_test_call_is_answered_and_stores_nothing(
    payment: Payment, door: str, certificates: Any
) -> None:
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        for body in ({"evento": "teste_webhook"}, [], "x"):
            assert (await efi.post(f"{door}/webhooks/efi", json=body)).status_code == 200
    assert await stored(payment) == []


async def test_nothing_else_is_behind_the_door(door: str, certificates: Any) -> None:
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        assert (await efi.post(f"{door}/payments/intent", json={})).status_code == 404
        big = json.dumps({"pix": [], "x": "a" * 1_100_000})
        answer = await efi.post(f"{door}/webhooks/efi", content=big)
    assert answer.status_code == 413
