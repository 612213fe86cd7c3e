"""The mTLS door that Efí knocks on: who may enter, and that what is told is stored before the answer."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from payment_fakes import a_pix
from payment_harness import Payment, listening
from prometheus_client import REGISTRY

from contracts.payment import MismatchKind, PaymentMismatchFound, SendReported
from payment.domain.intent import IntentStatus
from payment.domain.provider import ProviderUnclear
from payment.domain.received import Received
from payment.effects.process_webhooks import process_webhooks
from payment.effects.shred_bodies import shred_bodies
from testkit import published

CALLER = "webhook.efi.test"


@pytest.fixture
async def door(payment: Payment, webhook_app: FastAPI, certificates: Any) -> AsyncIterator[str]:
    async with listening(payment, webhook_app, server=certificates.server, ca=certificates.ca) as url:
        yield url


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


async def rows(payment: Payment, table: str) -> list[Any]:
    connection = await asyncpg.connect(payment.urls.admin_url)
    try:
        return list(await connection.fetch(f"SELECT * FROM {table}"))
    finally:
        await connection.close()


async def execute(payment: Payment, statement: str) -> None:
    connection = await asyncpg.connect(payment.urls.admin_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def unreadable() -> float:
    return REGISTRY.get_sample_value("webhook_items_unreadable_total") or 0.0


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


async def test_a_malformed_entry_is_kept_and_counted_and_its_neighbours_are_processed(
    payment: Payment, door: str, certificates: Any
) -> None:
    before = unreadable()
    paid = [await payment.open_payment() for _ in range(2)]
    pixes = [a_pix(txid=charge.txid) for _, _, charge in paid]
    for pix in pixes:
        payment.bank.pay(pix)
    nonsense = [
        {"endToEndId": "E-1", "txid": "t", "valor": "fifty"},
        {"endToEndId": "E" * 5000, "txid": "t", "valor": "1.00"},
        {"tipo": "SOLICITACAO", "gnExtras": {"idEnvio": "../x"}},
        {"txid": 5},
        "text",
        None,
    ]
    body = {"pix": [item(pixes[0]), *nonsense, item(pixes[1])]}
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        assert (await efi.post(f"{door}/webhooks/efi/pix", json=body)).status_code == 200
    await process_webhooks(payment.deps)
    for _, intent, _ in paid:
        assert (await payment.pair(intent.id))[0].status is IntentStatus.CONFIRMED
    outcomes = [event["outcome"] for event in await stored(payment)]
    assert sorted(outcomes) == ["confirmed"] * 2 + ["unreadable"] * len(nonsense)
    assert unreadable() == before + len(nonsense)


async def test_each_class_of_entry_goes_its_own_way(payment: Payment, door: str, certificates: Any) -> None:
    """By the reference's precedence; sent and returned ones are payout's news."""
    _, _, charge = await payment.open_payment()
    received, by_key = a_pix(txid=charge.txid), a_pix(txid=None)
    for pix in (received, by_key):
        payment.bank.pay(pix)
    back = {"id": "r1", "rtrId": "D1", "valor": "2.00", "status": "DEVOLVIDO", "horario": {}}
    send = {"endToEndId": "E9", "chave": "k", "tipo": "SOLICITACAO", "status": "REALIZADO", "valor": "4.00"}
    body = {
        "pix": [
            item(received),
            {name: value for name, value in item(by_key).items() if name != "txid"},
            item(received) | {"devolucoes": [back]},
            send | {"horario": "2026-11-24T12:00:00.000Z", "gnExtras": {"idEnvio": "i1"}},
            send | {"status": "NAO_REALIZADO", "horario": None, "gnExtras": {"idEnvio": "i2", "erro": {}}},
            send | {"gnExtras": {"idEnvio": "i3"}, "devolucoes": [back]},
        ]
    }
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        assert (await efi.post(f"{door}/webhooks/efi", json=body)).status_code == 200
    kinds = sorted(event["event_type"] for event in await stored(payment))
    assert kinds == ["pix.received"] * 2 + ["pix.refund"] + ["pix.send"] * 3
    await process_webhooks(payment.deps)
    reported = [fact for fact, _, _ in await published(payment.urls, of=SendReported)]
    assert sorted(fact.id_envio for fact in reported if isinstance(fact, SendReported)) == ["i1", "i2", "i3"]
    held = [fact for fact, _, _ in await published(payment.urls, of=PaymentMismatchFound)]
    assert [fact.kind for fact in held if isinstance(fact, PaymentMismatchFound)] == [MismatchKind.UNMATCHED]


async def test_the_body_is_kept_sealed_beside_its_hash_and_what_may_be_shown(
    payment: Payment, door: str, certificates: Any
) -> None:
    body = json.dumps({"pix": [item(a_pix(txid="t" * 32))]}, indent=1).encode()
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        await efi.post(f"{door}/webhooks/efi", content=body)
    [delivery] = await rows(payment, "webhook_deliveries")
    assert payment.deps.vault.open(delivery["sealed_body"]) == body
    assert b"Fulano" not in delivery["sealed_body"]
    assert delivery["body_sha256"] == hashlib.sha256(body).hexdigest()
    for secret in ("Fulano", "segredo", "456", "11111111-2222"):
        assert secret not in delivery["redacted"]
    assert json.loads(delivery["redacted"])["pix"][0]["valor"] == "50.00"
    assert [event["delivery_id"] for event in await stored(payment)] == [delivery["id"]]
    lives = delivery["shred_at"] - delivery["received_at"]
    assert lives.total_seconds() == payment.settings.raw_webhook_ttl_s


async def test_after_its_time_the_body_is_gone_and_hash_and_redacted_copy_stay(
    payment: Payment, door: str, certificates: Any
) -> None:
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        await efi.post(f"{door}/webhooks/efi", json={"pix": [item(a_pix(txid="t" * 32))]})
    assert await shred_bodies(payment.deps) == 0
    await execute(payment, "UPDATE webhook_deliveries SET shred_at = now() - interval '1 second'")
    assert await shred_bodies(payment.deps) == 1
    [delivery] = await rows(payment, "webhook_deliveries")
    assert delivery["sealed_body"] is None
    assert delivery["shredded_at"] is not None
    assert (len(delivery["body_sha256"]), json.loads(delivery["redacted"])["pix"][0]["valor"]) == (
        64,
        "50.00",
    )


async def test_it_is_stored_and_answered_within_a_second_though_kafka_and_efi_are_down(
    payment: Payment, door: str, certificates: Any
) -> None:
    """Nothing listens at this service's Kafka and Efí addresses: storing needs the database alone."""
    assert payment.settings.kafka_bootstrap.endswith(":1")
    payment.bank.failing = ProviderUnclear("down")
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        await efi.post(f"{door}/webhooks/efi", json={})
        started = perf_counter()
        answer = await efi.post(f"{door}/webhooks/efi", json={"pix": [item(a_pix(txid="t" * 32))]})
        took_s = perf_counter() - started
    assert answer.status_code == 200
    assert took_s < 1
    assert len(await stored(payment)) == 1


async def test_what_could_not_be_stored_is_a_5xx_so_that_efi_comes_again(
    payment: Payment, door: str, certificates: Any
) -> None:
    body = {"pix": [item(a_pix(txid="t" * 32))]}
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        await execute(payment, "ALTER TABLE webhook_events RENAME TO away")
        assert (await efi.post(f"{door}/webhooks/efi", json=body)).status_code >= 500
        await execute(payment, "ALTER TABLE away RENAME TO webhook_events")
        assert await rows(payment, "webhook_deliveries") == [], "all of it or nothing"
        assert (await efi.post(f"{door}/webhooks/efi", json=body)).status_code == 200
    assert len(await stored(payment)) == 1


async def test_the_probe_without_a_certificate_is_refused(door: str, certificates: Any) -> None:
    async with caller(certificates) as nobody:
        with pytest.raises(httpx.TransportError):
            await nobody.post(f"{door}/webhooks/efi", json={})


async def test_a_certificate_of_another_authority_is_refused(door: str, certificates: Any) -> None:
    async with caller(certificates, certificates.stranger_named(CALLER)) as stranger:
        with pytest.raises(httpx.TransportError):
            await stranger.post(f"{door}/webhooks/efi", json={})


async def test_the_certificate_of_efis_other_environment_is_refused(
    payment: Payment, door: str, certificates: Any
) -> None:
    """Test and production share a root: the subject's common name tells them apart."""
    async with caller(certificates, certificates.client_named("webhook-h.efi.test")) as other:
        answer = await other.post(f"{door}/webhooks/efi", json={"pix": [item(a_pix(txid=None))]})
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_client_certificate")
    assert await stored(payment) == []


async def test_an_amount_written_as_a_number_is_stored_too(
    payment: Payment, door: str, certificates: Any
) -> None:
    # An amount that is none makes the entry unreadable, and the janitor's; what is read is fetched back.
    for amount, read in (("50.00", True), ("5e1", True), ("-50.00", True), ("1e400", False), ("0", True)):
        _, intent, charge = await payment.open_payment()
        pix = a_pix(txid=charge.txid)
        payment.bank.pay(pix)
        body = json.dumps({"pix": [item(pix)]}).replace('"50.00"', amount)
        before = len(await stored(payment))
        async with caller(certificates, certificates.client_named(CALLER)) as efi:
            answer = await efi.post(f"{door}/webhooks/efi/pix", content=body)
        assert answer.status_code == 200
        await process_webhooks(payment.deps)
        assert len(await stored(payment)) == before + 1
        assert ((await payment.pair(intent.id))[0].status is IntentStatus.CONFIRMED) == read, amount


async def test_a_body_that_is_not_efis_is_a_clear_400(payment: Payment, door: str, certificates: Any) -> None:
    bodies = (
        b"{",
        b'{"pix": 5}',
        b"\xff",
        b"",
        b'{"pix": [{"endToEndId": "E1", "txid": "a", "valor": NaN}]}',
        b'{"pix": [{"endToEndId": "E1", "txid": "a", "valor": -Infinity}]}',
        b"[" * 100_000,
    )
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        for body in bodies:
            answer = await efi.post(f"{door}/webhooks/efi/pix", content=body)
            assert answer.status_code == 400, body[:40]
    assert await stored(payment) == []


async def test_a_test_call_is_answered_and_stores_nothing(
    payment: Payment, door: str, certificates: Any
) -> None:
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        for body in ({"evento": "teste_webhook"}, [], "x", {"pix": []}):
            assert (await efi.post(f"{door}/webhooks/efi", json=body)).status_code == 200
    assert await stored(payment) == []


async def test_nothing_else_is_behind_the_door(door: str, certificates: Any) -> None:
    async with caller(certificates, certificates.client_named(CALLER)) as efi:
        assert (await efi.post(f"{door}/payments/intent", json={})).status_code == 404
        big = json.dumps({"pix": [], "x": "a" * 1_100_000})
        answer = await efi.post(f"{door}/webhooks/efi", content=big)
    assert answer.status_code == 413
